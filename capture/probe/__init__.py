"""The probe in the kernel: its text, where the kernel's members lie, loading and attaching."""

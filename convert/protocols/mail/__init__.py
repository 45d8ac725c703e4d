"""What the mail protocols share: lines, logins, messages and their parts."""

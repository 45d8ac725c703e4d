/* sys_enter: remember when the call began, and for calls that may block or send, tell at once. */

/* Read the registers a call was made with, and bring its arguments into one form. */
static __always_inline void read_arguments(struct record *r, u64 regs)
{
    u64 saved[16] = {};
    bpf_probe_read_kernel(saved, sizeof(saved), (void *)regs);
    r->args[0] = saved[O_REGS_DI / 8];
    r->args[1] = saved[O_REGS_SI / 8];
    r->args[2] = saved[O_REGS_DX / 8];
    r->args[3] = saved[O_REGS_R10 / 8];
    r->args[4] = saved[O_REGS_R8 / 8];
    r->args[5] = saved[O_REGS_R9 / 8];
}

/* Calls that make a process: only the flags matter, and clone3 has them in memory. */
static __always_inline void clone_flags(struct record *r)
{
    u64 flags = r->args[0];
    if (r->nr == 435) { /* clone3 */
        flags = 0;
        bpf_probe_read_user(&flags, sizeof(flags), (void *)r->args[0]);
    } else if (r->nr == 57) { /* fork */
        flags = 0;
    } else if (r->nr == 58) { /* vfork */
        flags = 0x4100; /* CLONE_VFORK | CLONE_VM */
    } else {
        flags &= ~0xffULL;
    }
    r->args[0] = flags;
}

static __always_inline void fill_head(struct record *r, u8 kind, u16 nr, u64 id)
{
    r->kind = kind;
    r->part = 0;
    r->nr = nr;
    r->ts = bpf_ktime_get_boot_ns();
    r->enter_ts = 0;
    r->pid = id >> 32;
    r->tid = id;
    r->ret = 0;
    r->cpu = bpf_get_smp_processor_id();
    r->flags = 0;
    r->data_size = 0;
    r->true_size = 0;
    r->text_size = 0;
    r->reserved = 0;
}

int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
    u32 nr = ctx->args[1];
    if (ctx->args[1] >= CALLS)
        return 0;
    u32 *found = classes.lookup(&nr);
    if (!found || !*found || (*found & CLASS_URING))
        return 0;
    u32 class = *found;
    u64 task = bpf_get_current_task();
    if (is_compat(task))
        return 0;
    u64 id = bpf_get_current_pid_tgid();
    u32 pid = id >> 32, tid = id;
    if (own.lookup(&pid))
        return 0;
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    fill_head(r, RECORD_ENTER, nr, id);
    read_arguments(r, ctx->args[0]);
    if ((class & CLASS_FCNTL) && r->args[1] != 0 && r->args[1] != 1030) /* F_DUPFD, F_DUPFD_CLOEXEC */
        return 0;
    u64 file = 0;
    u32 sends = 0;
    s32 fd = -1;
    if (class & (CLASS_IO | CLASS_OWN_ENTER) && (class & CLASS_WHICH)) {
        fd = about_fd(class, r, task, &sends);
        if (class & CLASS_LISTENER)
            fd = r->args[0];
        file = file_of(task, fd);
#ifndef ALL_FILES
        if ((class & CLASS_IO) && !IS_SOCKET(mode_of(file)))
            return 0; /* its exit finds out again: cheaper than to remember it */
#else
        if ((class & CLASS_IO) && !file)
            return 0;
#endif
    }
    struct call *c = calls.lookup(&tid);
    if (!c) {
        struct call fresh = {.nr = NO_CALL};
        calls.update(&tid, &fresh);
        c = calls.lookup(&tid);
        if (!c)
            return 0; /* counted at the exit: lost_enter */
    }
    c->ts = r->ts;
    c->nr = nr;
    c->filtered = 0;
    c->sent = 0;
    if (fd != -1) {
        describe(&c->about, file, fd);
        if (class & CLASS_LISTENER)
            describe_queue(&c->about, file);
        if ((class & CLASS_IO) && is_filtered(&c->about, pid)) {
            c->filtered = 1;
            return 0;
        }
    }
    if (!(class & CLASS_OWN_ENTER))
        return 0;
    u64 text = 0;
    if (class & CLASS_IO)
        r->flags |= RECORD_IO;
    if (sends)
        r->flags |= RECORD_SENDS;
    if (fd != -1) {
        r->flags |= RECORD_DESCRIPTOR;
        *(struct descriptor *)s->body = c->about;
    }
    if (nr == 42 || nr == 44) { /* connect, sendto */
        u64 at = nr == 42 ? r->args[1] : r->args[4];
        u64 size = nr == 42 ? r->args[2] : r->args[5];
        text = given_name(s, at, (u32)size, ABOUT);
    }
    if (class & CLASS_CLONE)
        clone_flags(r);
    if (emit(s, n, 0, text)) {
        n->enters_deferred++;
    } else {
        n->enters++;
        c->sent = 1;
    }
    return 0;
}

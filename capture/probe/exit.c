/* sys_exit: decide whether the call is recorded, fill the head and the descriptor, and go on to the step of its class. */

int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
    u64 regs = ctx->args[0];
    u64 number = word(regs + O_REGS_ORIG_AX);
    u64 task = bpf_get_current_task();
    u64 id = bpf_get_current_pid_tgid();
    u32 nr = number, pid = id >> 32, tid = id;
    struct counts *n = own_counts();
    if (!n)
        return 0;
    if (is_compat(task) || (number & 0x40000000 && (s64)number > 0)) { /* i386 and x32 */
        n->seen++;
        n->compat++;
        return 0;
    }
    if (number >= CALLS)
        return 0;
    u32 *found = classes.lookup(&nr);
    if (!found || !*found)
        return 0;
    u32 class = *found;
    if (pid == SELF)
        return 0;
    struct call *c = calls.lookup(&tid);
    if (c && c->nr != nr)
        c = 0;
    if (c) {
        c->nr = NO_CALL;
        if (c->verdict != FOLLOWED) {
            n->seen++;
            if (c->verdict == FILTERED)
                n->filtered++;
            else
                n->not_socket++;
            return 0;
        }
    }
    struct scratch *s = own_scratch();
    if (!s)
        return 0;
    struct record *r = &s->head;
    fill_head(r, RECORD_EXIT, nr, id);
    r->ret = ctx->args[1];
    if ((class & CLASS_CLONE) && r->ret == 0) {
        u32 parent = half(word(task + O_TASK_PARENT) + O_TASK_TGID);
        if (is_own(parent)) {
            u8 one = 1;
            own.update(&pid, &one);
        }
        r->kind = RECORD_CHILD;
    }
    if (own.lookup(&pid))
        return 0;
    read_arguments(r, regs);
    if (is_other_command(r, class))
        return 0;
    n->seen++;
    if (class & CLASS_URING) {
        n->uring++;
        return 0;
    }
    struct descriptor *d = (struct descriptor *)s->body;
    u32 sends = 0;
    if (class & CLASS_WHICH) {
        s32 fd = about_fd(class, r, task, &sends);
        if ((class & CLASS_WHICH) == WHICH_PAIR) {
            fd = -1;
            if (r->ret == 0)
                bpf_probe_read_user(&fd, sizeof(fd), (void *)(nr == 53 ? r->args[3] : r->args[0])); /* socketpair */
        }
        if (c && (class & CLASS_IO) && (c->about.local_port || (c->about.family != 2 && c->about.family != 10))) {
            *d = c->about; /* as it was when the call began: it may be closed by now */
            r->flags |= RECORD_DESCRIPTOR;
        } else if (fd >= 0 || (class & CLASS_IO)) {
            u64 file = file_of(task, fd);
            describe(d, file, fd);
            u8 verdict = class & CLASS_IO ? judge(d, file, pid) : FOLLOWED;
            if (verdict == NOT_SOCKET && c) {
                *d = c->about; /* closed meanwhile by another thread */
            } else if (verdict == NOT_SOCKET) {
                n->not_socket++;
                return 0;
            } else if (verdict == FILTERED) {
                n->filtered++;
                return 0;
            }
            if (class & CLASS_LISTENER)
                describe_queue(d, file_of(task, r->args[0]));
            r->flags |= RECORD_DESCRIPTOR;
        }
    }
    if (c && c->sent)
        r->flags |= RECORD_ENTER_SENT;
    else if (c)
        r->enter_ts = c->ts;
    else if (r->kind == RECORD_EXIT)
        n->lost_enter++;
    set_flags(r, class, sends);
    if (class & CLASS_CLONE)
        clone_flags(r);
    s->work.class = class;
    s->work.depth = 0;
    s->work.lost = 0;
    s->work.index = 0;
    s->work.name_room = c ? c->name_room : ADDRESS_MOST;
    steps.call(ctx, class & CLASS_STEP);
    n->failed++;
    return 0;
}

/* close, dup, shutdown, listen, socket, setsid and whatever else has nothing to read from memory. */
int step_plain(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (s && n)
        settle(s, n, 0, 0);
    return 0;
}

/* sendfile, splice: bytes moved inside the kernel, only their number is known. */
int step_length(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    s->head.true_size = s->head.ret > 0 ? s->head.ret : 0;
    if (s->head.nr == 40) /* sendfile */
        sendfile_offset(&s->head);
    settle(s, n, 0, 0);
    return 0;
}

/* open*, creat, chdir: the path. prctl: the thread's new name. */
int step_path(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    u64 at = s->work.class & CLASS_SECOND ? r->args[1] : r->args[0];
    u64 place = text_place(s, 0);
    if (s->work.class & CLASS_RENAME) {
        if (!r->ret)
            bpf_get_current_comm(s->body + place, sizeof(struct comm));
        settle(s, n, 0, r->ret ? 0 : sizeof(struct comm));
        return 0;
    }
    s64 size = bpf_probe_read_user_str(s->body + place, PATH_MOST, (void *)at);
    if (size < 0) {
        r->flags |= RECORD_FAULT;
        size = 1;
    }
    if (r->nr == 437) { /* openat2 */
        u64 how[3] = {};
        bpf_probe_read_user(how, sizeof(how), (void *)r->args[2]);
        r->args[2] = how[0];
        r->args[3] = how[1];
        r->args[4] = how[2];
    }
    settle(s, n, 0, size - 1);
    return 0;
}

/* connect, bind: the address given. accept: the name of the unix socket. */
int step_address(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    struct descriptor *d = (struct descriptor *)s->body;
    u64 place = text_place(s, 0), text = 0;
    if (!(s->work.class & CLASS_LISTENER))
        text = given_name(s, r->args[1], (u32)r->args[2], place);
    else if (r->flags & RECORD_DESCRIPTOR)
        text = unix_name(s, d, place);
    settle(s, n, 0, text);
    return 0;
}

/* pipe, pipe2, socketpair: both new descriptors. */
int step_pair(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    u64 at = r->nr == 53 ? r->args[3] : r->args[0], text = 0, place = text_place(s, 0);
    if (r->ret == 0) {
        text = sizeof(struct pair);
        if (bpf_probe_read_user(s->body + place, sizeof(struct pair), (void *)at)) {
            r->flags |= RECORD_FAULT;
            text = 0;
        }
    }
    settle(s, n, 0, text);
    return 0;
}

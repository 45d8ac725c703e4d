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

/* Calls that do many things, of which only some are followed. */
static __always_inline int is_other_command(struct record *r, u32 class)
{
    if (class & CLASS_FCNTL)
        return r->args[1] != 0 && r->args[1] != 1030; /* F_DUPFD, F_DUPFD_CLOEXEC */
    return class & CLASS_RENAME && (u32)r->args[0] != 15; /* PR_SET_NAME */
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

#define MSG_PEEK 2
#define MSG_TRUNC 0x20
#define MSG_ERRQUEUE 0x2000

/* The flags of a call that receives; 0 for others. */
static __always_inline u32 receive_flags(struct record *r)
{
    if (r->nr == 47) /* recvmsg */
        return r->args[2];
    return r->nr == 45 || r->nr == 299 ? r->args[3] : 0; /* recvfrom, recvmmsg */
}

static __always_inline void set_flags(struct record *r, u32 class, u32 sends)
{
    if (class & CLASS_IO)
        r->flags |= RECORD_IO;
    if (sends)
        r->flags |= RECORD_SENDS;
    if (receive_flags(r) & (MSG_PEEK | MSG_ERRQUEUE))
        r->flags |= RECORD_PEEK;
}

/* What becomes of a call that moves bytes. The descriptor is looked at once, when the call begins. */
static __always_inline u8 judge(struct descriptor *d, u64 file, u32 pid)
{
#ifdef ALL_FILES
    if (!file)
#else
    if (!IS_SOCKET(d->mode))
#endif
        return NOT_SOCKET;
    return is_other_process(pid) || is_other_peer(d) ? FILTERED : FOLLOWED;
}

/* sendfile's third argument: the place in the file that it points to, as it is now. */
static __always_inline void sendfile_offset(struct record *r)
{
    u64 offset = 0;
    if (r->args[2])
        bpf_probe_read_user(&offset, sizeof(offset), (void *)r->args[2]);
    r->args[2] = offset;
}

/* A call that receives with an address: the room for it. The call itself writes the address's whole length there, also
 * where the room is too small for it. */
static __always_inline u32 name_room(struct record *r)
{
    u32 room = ADDRESS_MOST;
    u64 at = r->nr == 45 ? r->args[4] ? r->args[5] : 0 : r->args[1] ? r->args[1] + 8 : 0; /* recvfrom; msg_namelen */
    if (at && bpf_probe_read_user(&room, sizeof(room), (void *)at))
        room = ADDRESS_MOST;
    return room;
}

/* Send the enter's own record. One that does not fit is not lost: its time goes along with the exit. */
static __always_inline void begin(struct scratch *s, struct counts *n, struct call *c, u64 text)
{
    if (emit(s, n, 0, text)) {
        n->enters_deferred++;
    } else {
        n->enters++;
        c->sent = 1;
    }
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
    u64 id = bpf_get_current_pid_tgid();
    u32 pid = id >> 32, tid = id;
    if (pid == SELF || is_compat(task))
        return 0;
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    read_arguments(r, ctx->args[0]);
    if (is_other_command(r, class))
        return 0;
    struct call *c = calls.lookup(&tid);
    if (!c) {
        struct call fresh = {.nr = NO_CALL};
        calls.update(&tid, &fresh);
        c = calls.lookup(&tid);
        if (!c)
            return 0; /* counted at the exit: lost_enter */
    }
    c->nr = nr;
    c->sent = 0;
    c->verdict = FOLLOWED;
    u32 sends = 0;
    s32 fd = -1;
    if ((class & CLASS_OWN_ENTER) && (class & CLASS_WHICH)) {
        fd = class & CLASS_LISTENER ? r->args[0] : about_fd(class, r, task, &sends);
        u64 file = file_of(task, fd);
#ifndef ALL_FILES
        if ((class & CLASS_IO) && !IS_SOCKET(mode_of(file))) {
            c->verdict = NOT_SOCKET;
            return 0;
        }
#endif
        if ((class & CLASS_IO) && file && is_other_process(pid)) { /* before the work of describing it */
            c->verdict = FILTERED;
            return 0;
        }
        describe(&c->about, file, fd);
        if (class & CLASS_LISTENER)
            describe_queue(&c->about, file);
        if (class & CLASS_IO) {
            c->verdict = judge(&c->about, file, pid);
            if (c->verdict != FOLLOWED)
                return 0;
        }
    }
    if (own.lookup(&pid))
        return 0;
    fill_head(r, RECORD_ENTER, nr, id);
    c->ts = r->ts;
    if (!(class & CLASS_OWN_ENTER))
        return 0;
    set_flags(r, class, sends);
    if ((class & CLASS_NAMED) && !sends)
        c->name_room = name_room(r);
    if (class & CLASS_WHICH) {
        r->flags |= RECORD_DESCRIPTOR;
        *(struct descriptor *)s->body = c->about;
    }
    if (class & CLASS_CLONE)
        clone_flags(r);
    if (nr == 40) /* sendfile */
        sendfile_offset(r);
    u64 text = 0;
    if (nr == 42) /* connect */
        text = given_name(s, r->args[1], (u32)r->args[2], ABOUT);
    else if (nr == 44) /* sendto */
        text = given_name(s, r->args[4], (u32)r->args[5], ABOUT);
    if (class & CLASS_SIZED) {
        s->work.class = class;
        steps.call(ctx, STEP_ASKED);
    }
    if (!text && (class & CLASS_NAMED) && sends)
        text = unix_name(s, &c->about, ABOUT);
    begin(s, n, c, text);
    return 0;
}

/* The enter of calls that send from vectors: how much they are asked to send, and where to. */
int step_asked(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    u32 tid = r->tid;
    struct call *c = calls.lookup(&tid);
    if (!c)
        return 0;
    u64 head[4] = {0, 0, r->args[1], r->args[2]}; /* name, its length, vectors, how many: as in struct msghdr */
    u64 text = 0;
    if (s->work.class & CLASS_NAMED) {
        if (bpf_probe_read_user(head, sizeof(head), (void *)r->args[1]))
            r->flags |= RECORD_FAULT;
        text = given_name(s, head[0], (u32)head[1], ABOUT);
        if (!text)
            text = unix_name(s, &c->about, ABOUT);
    }
#pragma unroll 1
    for (int i = 0; i < 1024; i++) { /* UIO_MAXIOV */
        u64 vector[2] = {};
        if (i >= head[3])
            break;
        if (bpf_probe_read_user(vector, sizeof(vector), (void *)(head[2] + i * sizeof(vector)))) {
            r->flags |= RECORD_FAULT;
            break;
        }
        r->true_size += vector[1];
    }
    begin(s, n, c, text);
    return 0;
}

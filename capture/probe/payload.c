/* Steps of calls that move bytes: one buffer, vectors, messages. */

/* The address that goes with a message: as the caller gave or got it, else a unix socket's name. */
static __always_inline u64 message_name(struct scratch *s, u64 data)
{
    u64 place = text_place(s, data), size = s->work.name_size;
    if (!(s->head.flags & RECORD_SENDS) && size > s->work.name_room)
        size = s->work.name_room;
    u64 text = given_name(s, s->work.name, size, place);
    if (!text && (s->work.class & CLASS_NAMED))
        text = unix_name(s, (struct descriptor *)s->body, place);
    return text;
}

/* With MSG_TRUNC a stream throws bytes away: none of them are in the buffer. */
static __always_inline int thrown_away(struct scratch *s)
{
    return receive_flags(&s->head) & MSG_TRUNC && ((struct descriptor *)s->body)->socket_type == 1;
}

/* read, write, pread64, pwrite64, sendto, recvfrom. */
int step_buffer(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    u64 size = r->ret > 0 ? r->ret : 0;
    r->true_size = size;
    if (size > r->args[2]) /* a datagram that was longer than the buffer */
        size = r->args[2];
    if (thrown_away(s))
        size = 0;
    if (size > SNAPLEN)
        size = SNAPLEN;
    PIN(size);
    if (size && bpf_probe_read_user(s->body + ABOUT, size, (void *)r->args[1])) {
        r->flags |= RECORD_FAULT;
        size = 0;
    }
    u64 text = 0;
    if (s->work.class & CLASS_NAMED) {
        s->work.name = r->args[4];
        s->work.name_size = 0;
        if (s->head.flags & RECORD_SENDS)
            s->work.name_size = (u32)r->args[5];
        else if (r->args[4] && r->ret >= 0)
            bpf_probe_read_user(&s->work.name_size, 4, (void *)r->args[5]);
        text = message_name(s, size);
    }
    settle(s, n, size, text);
    return 0;
}

/* Collect payload from some vectors; 1 when more of them have to be looked at.
 * All that changes from vector to vector is kept in memory, so that the verifier meets the same state each time. */
static __always_inline int gather(struct scratch *s)
{
    struct work *w = &s->work;
#pragma unroll 1
    for (int i = 0; i < VECTORS; i++) {
        u64 vector[2] = {};
        if (!w->left || w->got >= w->want)
            return 0;
        if (bpf_probe_read_user(vector, sizeof(vector), (void *)w->vectors)) {
            s->head.flags |= RECORD_FAULT;
            return 0;
        }
        w->vectors += sizeof(vector);
        w->left--;
        u64 got = w->got, take = w->want - got;
        if (take > vector[1])
            take = vector[1];
        if (got > SNAPLEN)
            return 0;
        PIN(got);
        if (take > SNAPLEN)
            take = SNAPLEN;
        PIN(take);
        if (!take)
            continue;
        if (bpf_probe_read_user(s->body + ABOUT + got, take, (void *)vector[0])) {
            s->head.flags |= RECORD_FAULT;
            return 0;
        }
        w->got = got + take;
    }
    return w->left && w->got < w->want;
}

static __always_inline void want(struct scratch *s, u64 bytes)
{
    s->head.true_size = bytes;
    s->work.got = 0;
    s->work.want = thrown_away(s) ? 0 : bytes > SNAPLEN ? SNAPLEN : bytes;
}

/* The record of these vectors is whole: send it, and go on to the next message if there is one. */
static __always_inline void finish(struct bpf_raw_tracepoint_args *ctx, struct scratch *s, struct counts *n)
{
    struct work *w = &s->work;
    struct record *r = &s->head;
    u64 got = w->got;
    if (got > SNAPLEN)
        got = SNAPLEN;
    PIN(got);
    u64 text = message_name(s, got);
    if (!(w->class & CLASS_MANY) || w->index + 1 >= w->count) {
        settle(s, n, got, text);
        return;
    }
    r->flags |= RECORD_MORE;
    if (emit(s, n, got, text))
        w->lost = 1;
    r->flags &= ~(RECORD_MORE | RECORD_FAULT);
    w->index++;
    w->messages += MESSAGE_HEAD + 8;
    r->part = w->index;
    w->depth++;
    if (w->depth < DEPTH)
        steps.call(ctx, STEP_MESSAGES);
    else
        steps.call(ctx, STEP_REST);
    n->failed++;
}

/* Later vectors of the same message. */
int step_gather(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    if (gather(s) && s->work.depth < DEPTH) {
        s->work.depth++;
        steps.call(ctx, STEP_GATHER);
    }
    finish(ctx, s, n);
    return 0;
}

/* readv, writev, preadv*, pwritev*. */
int step_vectors(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    want(s, r->ret > 0 ? r->ret : 0);
    s->work.vectors = r->args[1];
    s->work.left = r->args[2];
    s->work.name = 0;
    s->work.name_size = 0;
    steps.call(ctx, STEP_GATHER);
    n->failed++;
    return 0;
}

/* Count the descriptors that came along with a message on a unix socket (SCM_RIGHTS): readers do not get to know them.
 * The kernel puts at most three things there, each at a multiple of eight. */
static __always_inline void count_passed(struct counts *n, u64 at, u64 size)
{
#pragma unroll 1
    for (int i = 0; i < 4; i++) {
        u64 control[2] = {}; /* struct cmsghdr: length, level, type */
        if (!at || size < sizeof(control) || bpf_probe_read_user(control, sizeof(control), (void *)at))
            return;
        if (control[0] < sizeof(control) || control[0] > size)
            return;
        if (control[1] == (1ULL << 32 | 1)) /* SOL_SOCKET, SCM_RIGHTS */
            n->descriptors_passed += (control[0] - sizeof(control)) / 4;
        u64 whole = (control[0] + 7) & ~7ULL;
        if (whole > size)
            return;
        at += whole;
        size -= whole;
    }
}

/* Take a struct msghdr apart. */
static __always_inline void read_message(struct scratch *s, struct counts *n, u64 at)
{
    u64 head[6] = {};
    if (bpf_probe_read_user(head, sizeof(head), (void *)at))
        s->head.flags |= RECORD_FAULT;
    s->work.name = head[0];
    s->work.name_size = (u32)head[1];
    s->work.vectors = head[2];
    s->work.left = head[3];
    if (!(s->head.flags & RECORD_SENDS) && ((struct descriptor *)s->body)->family == 1 && s->head.ret >= 0)
        count_passed(n, head[4], head[5]);
}

/* sendmsg, recvmsg. */
int step_message(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    want(s, r->ret > 0 ? r->ret : 0);
    read_message(s, n, r->args[1]);
    steps.call(ctx, STEP_GATHER);
    n->failed++;
    return 0;
}

/* sendmmsg, recvmmsg: message number `index`, then itself again for the next. */
int step_messages(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    struct work *w = &s->work;
    if (r->ret <= 0) {
        settle(s, n, 0, 0);
        return 0;
    }
    if (w->index == 0) {
        w->messages = r->args[1];
        w->count = r->ret;
    }
    u32 bytes = 0;
    bpf_probe_read_user(&bytes, sizeof(bytes), (void *)(w->messages + MESSAGE_HEAD));
    want(s, bytes);
    read_message(s, n, w->messages);
    if (gather(s) && w->depth < DEPTH) {
        w->depth++;
        steps.call(ctx, STEP_GATHER);
    }
    finish(ctx, s, n);
    return 0;
}

/* All messages from `index` on, beyond the number of steps that the kernel allows: only their length. */
int step_rest(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct work *w = &s->work;
    s->head.true_size = 0;
    s->head.flags |= RECORD_REST;
#pragma unroll 1
    for (int i = 0; i < 1024; i++) { /* UIO_MAXIOV: more are never taken */
        if (w->index + i >= w->count)
            break;
        u32 bytes = 0;
        bpf_probe_read_user(&bytes, sizeof(bytes), (void *)(w->messages + MESSAGE_HEAD));
        s->head.true_size += bytes;
        w->messages += MESSAGE_HEAD + 8;
    }
    settle(s, n, 0, 0);
    return 0;
}

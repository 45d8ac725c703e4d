/* From a descriptor's number to what it is: the open file, the inode, the socket and its two ends. */

#define IS_SOCKET(mode) (((mode) & 0170000) == 0140000)

/* The kernel's members that lie near each other are read together: a read costs more than the bytes it brings. */
#define AT64(area, place) (*(u64 *)((area) + (place)))
#define AT32(area, place) (*(u32 *)((area) + (place)))
#define AT16(area, place) (*(u16 *)((area) + (place)))

static __always_inline u64 file_of(u64 task, s32 fd)
{
    u8 table[SIZE_FDT] = {};
    u64 files;
    if (fd < 0)
        return 0;
    files = word(task + O_TASK_FILES);
    if (!files)
        return 0;
    bpf_probe_read_kernel(table, sizeof(table), (void *)word(files + O_FILES_FDT));
    if ((u32)fd >= AT32(table, O_FDT_MAX))
        return 0;
    return word(AT64(table, O_FDT_FD) + (u32)fd * 8ULL);
}

static __always_inline u32 mode_of(u64 file)
{
    return file ? quarter(word(file + O_FILE_INODE) + O_INODE_MODE) : 0;
}

/* Both ends of a socket. */
static __always_inline void describe_socket(struct descriptor *d, u64 sk)
{
    u8 common[SOCK_COMMON] = {};
    bpf_probe_read_kernel(common, sizeof(common), (void *)sk);
    u16 family = AT16(common, O_SKC_FAMILY);
    d->family = family;
    d->state = common[O_SKC_STATE];
    d->protocol = quarter(sk + O_SK_PROTOCOL);
    d->socket_type = quarter(sk + O_SK_TYPE);
    if (family == 2 || family == 10) {
        d->local_port = AT16(common, O_SKC_NUM);
        d->remote_port = __builtin_bswap16(AT16(common, O_SKC_DPORT));
        if (family == 2) {
            *(u32 *)d->local = AT32(common, O_SKC_RCV_SADDR);
            *(u32 *)d->remote = AT32(common, O_SKC_DADDR);
        }
#if defined(O_SKC_V6_DADDR) && defined(O_SKC_V6_RCV_SADDR)
        else {
            __builtin_memcpy(d->local, common + O_SKC_V6_RCV_SADDR, 16);
            __builtin_memcpy(d->remote, common + O_SKC_V6_DADDR, 16);
        }
#endif
    } else if (family == 1) {
        d->unix_own = sk;
#ifdef O_UNIX_PEER
        d->unix_peer = word(sk + O_UNIX_PEER);
#endif
    }
}

static __always_inline void describe(struct descriptor *d, u64 file, s32 fd)
{
    __builtin_memset(d, 0, sizeof(*d));
    d->fd = fd;
    if (!file)
        return;
    u8 opened[SIZE_FILE] = {}, inode[SIZE_INODE] = {};
    bpf_probe_read_kernel(opened, sizeof(opened), (void *)file);
    bpf_probe_read_kernel(inode, sizeof(inode), (void *)AT64(opened, O_FILE_INODE));
    d->mode = AT16(inode, O_INODE_MODE);
    d->inode = AT64(inode, O_INODE_INO);
    d->device = half(AT64(inode, O_INODE_SB) + O_SB_DEV);
    d->open_flags = AT32(opened, O_FILE_FLAGS);
    if (!IS_SOCKET(d->mode))
        return;
    u64 socket = AT64(opened, O_FILE_PRIVATE);
    u64 sk = socket ? word(socket + O_SOCKET_SK) : 0;
    if (sk)
        describe_socket(d, sk);
}

/* How many connections wait at a listening socket. */
static __always_inline void describe_queue(struct descriptor *d, u64 file)
{
    if (!IS_SOCKET(mode_of(file)))
        return;
    u64 sk = word(word(file + O_FILE_PRIVATE) + O_SOCKET_SK);
    if (!sk)
        return;
    d->queue_length = half(sk + O_SK_BACKLOG);
    d->queue_max = half(sk + O_SK_MAX_BACKLOG);
}

/* The name of a unix socket as struct sockaddr_un, its own or its peer's, as text; its length. */
static __always_inline u64 unix_name(struct scratch *s, struct descriptor *d, u64 place)
{
#if defined(O_UNIX_ADDR) && defined(O_UNIX_PEER)
    u64 name;
    if (d->family != 1 || !d->unix_own)
        return 0;
    name = word(d->unix_own + O_UNIX_ADDR);
    if (!name && d->unix_peer)
        name = word(d->unix_peer + O_UNIX_ADDR);
    if (!name)
        return 0;
    u64 size = half(name + O_UNIX_ADDRESS_LEN);
    if (size > ADDRESS_MOST)
        size = ADDRESS_MOST;
    PIN(size);
    if (place > ABOUT + SNAPLEN + 8 || bpf_probe_read_kernel(s->body + place, size, (void *)(name + O_UNIX_ADDRESS_NAME)))
        return 0;
    return size;
#else
    return 0; /* unix sockets are a module here, and its types are elsewhere */
#endif
}

/* An address in the program's memory, as text; its length. */
static __always_inline u64 given_name(struct scratch *s, u64 at, u64 size, u64 place)
{
    if (!at || !size)
        return 0;
    if (size > ADDRESS_MOST)
        size = ADDRESS_MOST;
    PIN(size);
    if (place > ABOUT + SNAPLEN + 8)
        return 0;
    if (bpf_probe_read_user(s->body + place, size, (void *)at)) {
        s->head.flags |= RECORD_FAULT;
        return 0;
    }
    return size;
}

/* Which descriptor a call is about. sendfile and splice have two: the socket, if one is. */
static __always_inline s32 about_fd(u32 class, struct record *r, u64 task, u32 *sends)
{
    s32 out, in;
    *sends = class & CLASS_SENDS;
    switch (class & CLASS_WHICH) {
    case WHICH_FIRST:
        return r->args[0];
    case WHICH_RESULT:
        return r->ret;
    case WHICH_SENDFILE:
    case WHICH_SPLICE:
        out = (class & CLASS_WHICH) == WHICH_SPLICE ? r->args[2] : r->args[0];
        in = (class & CLASS_WHICH) == WHICH_SPLICE ? r->args[0] : r->args[1];
        *sends = CLASS_SENDS;
        if (IS_SOCKET(mode_of(file_of(task, out))))
            return out;
        if (!IS_SOCKET(mode_of(file_of(task, in))))
            return out;
        *sends = 0;
        return in;
    }
    return -1;
}

/* Whether the pushed-down conditions leave a call that moves bytes out. All kinds have to hold, one value of each.
 * A socket without a peer may get its address with the call: it is let through, and judged later. */
static __always_inline int is_other_process(u32 pid)
{
#ifdef WANT_PIDS
    if (!wanted_pids.lookup(&pid))
        return 1;
#endif
#ifdef WANT_COMMS
    struct comm comm = {};
    bpf_get_current_comm(&comm, sizeof(comm));
    if (!wanted_comms.lookup(&comm))
        return 1;
#endif
    return 0;
}

static __always_inline int is_other_peer(struct descriptor *d)
{
#if defined(WANT_PORTS) || defined(WANT_ADDRESSES)
    if (d->family != 2 && d->family != 10)
        return 1;
    if (!d->remote_port)
        return 0;
#endif
#ifdef WANT_PORTS
    u16 local = d->local_port, remote = d->remote_port;
    if (!wanted_ports.lookup(&local) && !wanted_ports.lookup(&remote))
        return 1;
#endif
#ifdef WANT_ADDRESSES
    struct address one = {.family = d->family}, other = {.family = d->family};
    __builtin_memcpy(one.bytes, d->local, 16);
    __builtin_memcpy(other.bytes, d->remote, 16);
    if (!wanted_addresses.lookup(&one) && !wanted_addresses.lookup(&other))
        return 1;
#endif
    return 0;
}

/* What the programs share: maps, counters, the place where a record is put together, reading the kernel's memory.
 *
 * O_... are places of members in the running kernel's structs, given by program.py from BTF. No struct of the kernel's
 * headers is looked into: they may be of another version than the kernel that runs. */

#define TEXT_ROOM 6144
#define PATH_MOST 4096
#define NAME_MOST 1024  /* of an executed file; larger values do not fit a hash that allocates by need */
#define ADDRESS_MOST 128 /* sizeof(struct sockaddr_storage) */
#define CALLS 512
#define HEAD sizeof(struct record)
#define ABOUT sizeof(struct descriptor)
#define BODY (ABOUT + 2 * SNAPLEN + TEXT_ROOM + 64)
#define NO_CALL 0xffff
#define FOLLOWED 0
#define FILTERED 1
#define NOT_SOCKET 2

/* Keeps a bound that was just tested: the compiler may not work it out anew in another register. */
#define PIN(x) asm volatile("" : "+r"(x))

struct counts {
    u64 seen, emitted, dropped, not_socket, filtered, compat, uring, failed;
    u64 records, records_dropped, bytes_dropped, enters, enters_deferred, lost_enter, descriptors_passed;
    u64 since_wake; /* bytes, not a count of its own */
};

/* A call that has begun, by thread. Kept between calls: a thread has one at a time. */
struct call {
    u64 ts;
    u16 nr;        /* NO_CALL: none is under way */
    u8 verdict;    /* on a call that moves bytes */
    u8 sent;       /* the enter is in the ring */
    u32 name_room; /* calls that receive with an address: the room for it */
    struct descriptor about;
};

/* State that goes along with tail calls. */
struct work {
    u64 messages;  /* sendmmsg, recvmmsg: where struct mmsghdr number `index` stands */
    u64 index;
    u64 count;
    u64 vectors;   /* where the next struct iovec stands */
    u64 left;      /* how many are left */
    u64 got;       /* payload in the body so far */
    u64 want;
    u64 name;      /* address asked for or given: where, how long */
    u64 name_size;
    u32 class;
    u32 depth;     /* tail calls made */
    u32 lost;      /* a record of the call did not fit the ring */
    u32 name_room; /* calls that receive: no more of an address was written */
};

struct scratch {
    struct work work;
    struct record head;
    u8 body[BODY];
};

struct address {
    u32 family;
    u8 bytes[16];
};

struct comm {
    char name[16];
};

struct executed {
    u32 size;
    char name[NAME_MOST];
};

BPF_RINGBUF_OUTPUT(ring, RING_PAGES);
BPF_ARRAY(scratch, struct scratch, CPUS);
BPF_ARRAY(classes, u32, CALLS);
BPF_PERCPU_ARRAY(counts, struct counts, 1);
BPF_HASH(calls, u32, struct call, 65536);
BPF_HASH(own, u32, u8, 4096);
BPF_F_TABLE("hash", u32, struct executed, executed, 1024, BPF_F_NO_PREALLOC);
BPF_PROG_ARRAY(steps, 16);
BPF_HASH(wanted_pids, u32, u8, 4096);
BPF_HASH(wanted_comms, struct comm, u8, 1024);
BPF_HASH(wanted_ports, u16, u8, 4096);
BPF_HASH(wanted_addresses, struct address, u8, 4096);

static __always_inline u64 word(u64 at)
{
    u64 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
    return value;
}

static __always_inline u32 half(u64 at)
{
    u32 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
    return value;
}

static __always_inline u16 quarter(u64 at)
{
    u16 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), (void *)at);
    return value;
}

static __always_inline struct scratch *own_scratch(void)
{
    u32 cpu = bpf_get_smp_processor_id();
    return scratch.lookup(&cpu);
}

static __always_inline struct counts *own_counts(void)
{
    u32 zero = 0;
    return counts.lookup(&zero);
}

/* The recorder and its children. */
static __always_inline int is_own(u32 pid)
{
    return pid == SELF || own.lookup(&pid);
}

/* Whether the call was made by 32-bit code: its numbers and arguments mean other things. */
static __always_inline int is_compat(u64 task)
{
    return half(task + O_TASK_STATUS) & 2; /* TS_COMPAT of the x86 */
}

/* Put the record into the ring: `data` bytes of payload, then `text` bytes, both in their places in the body. */
static __always_inline int emit(struct scratch *s, struct counts *n, u64 data, u64 text)
{
    u64 size = ((data + 7) & ~7ULL) + ((text + 7) & ~7ULL);
    if (s->head.flags & RECORD_DESCRIPTOR)
        size += ABOUT;
    if (size > BODY)
        size = BODY & ~7ULL;
    PIN(size);
    size += HEAD;
    s->head.size = size;
    s->head.data_size = data;
    s->head.text_size = text;
    /* The reader looks by time. It is woken once for many records, lest the ring fills up: waking costs more than a record. */
    u64 wake = BPF_RB_NO_WAKEUP;
    n->since_wake += size;
    if (n->since_wake > RING_PAGES * 4096ULL / 8 / CPUS) {
        n->since_wake = 0;
        wake = BPF_RB_FORCE_WAKEUP;
    }
    if (ring.ringbuf_output(&s->head, size, wake)) {
        n->records_dropped++;
        if (s->head.kind != RECORD_ENTER)
            n->bytes_dropped += s->head.true_size;
        return -1;
    }
    n->records++;
    return 0;
}

/* Where the text of a record begins in the body. */
static __always_inline u64 text_place(struct scratch *s, u64 data)
{
    u64 place = (data + 7) & ~7ULL;
    if (s->head.flags & RECORD_DESCRIPTOR)
        place += ABOUT;
    if (place > ABOUT + SNAPLEN + 8)
        place = ABOUT + SNAPLEN + 8;
    PIN(place);
    return place;
}

/* Count the call as done: all of its records are in the ring, or not. */
static __always_inline void settle(struct scratch *s, struct counts *n, u64 data, u64 text)
{
    if (emit(s, n, data, text) || s->work.lost)
        n->dropped++;
    else
        n->emitted++;
}

/* The ring's records: what the probe (capture/probe/) puts into the ring, and the drain (capture/drain.pyx) takes out.
 *
 * The only description of it: included by the BPF program and by the compiled drain. Little-endian, no padding.
 * A record is
 *
 *     struct record
 *     struct descriptor                  only with RECORD_DESCRIPTOR
 *     payload   `data_size` bytes        then zero to seven bytes up to a multiple of eight
 *     text      `text_size` bytes        then zero to seven bytes up to a multiple of eight
 *
 * and `size` bytes in all, a multiple of eight. Bytes of padding have no meaning (they are not cleared). */
#ifndef SYSWIRE_RECORD_H
#define SYSWIRE_RECORD_H

#include <linux/types.h>

/* `kind` */
#define RECORD_ENTER 1  /* a call that began: of calls that may block or send. Its exit has RECORD_ENTER_SENT */
#define RECORD_EXIT 2   /* a call that returned, or one message of it */
#define RECORD_DEATH 3  /* a thread ended (sched_process_exit); `ret` is the kernel's exit code: signal | core << 7 | status << 8 */
#define RECORD_CHILD 4  /* clone, clone3, fork or vfork returns 0 in the child: the child's first sign of life */

/* `flags` */
#define RECORD_ENTER_SENT 1  /* the enter stands in a record of its own; `enter_ts` is 0 */
#define RECORD_DESCRIPTOR 2  /* struct descriptor follows */
#define RECORD_FAULT 4       /* some bytes could not be read (a page that is not there): payload or text is short */
#define RECORD_MORE 8        /* further records of the same call follow: messages of sendmmsg and recvmmsg */
#define RECORD_REST 16       /* stands for all messages from `part` on, beyond those the probe could visit: true_size is their sum */
#define RECORD_SENDS 32      /* payload goes out of the process (write, send*, sendfile out); without it, payload came in */
#define RECORD_PEEK 128      /* received with MSG_PEEK or MSG_ERRQUEUE: bytes that come again, or that were sent before */
#define RECORD_IO 64         /* moves bytes (read*, write*, send*, recv*, sendfile, splice); without it, the record changes state */

/* Calls are told by their number on x86-64 (`nr`). Of the arguments, all six as given, except:
 *   clone, clone3, fork, vfork   args[0] is the set of CLONE_* flags, without the signal
 *   openat2                      args[2] flags, args[3] mode, args[4] resolve: out of struct open_how
 *   execve, execveat             all 0 where the call succeeded
 *   sendfile                     args[2] the offset that it points to, before (enter) and after (exit); 0 where it points to nothing
 *
 * Enters in records of their own: read*, write*, pread*, pwrite*, send*, recv*, sendfile, splice, accept*, connect,
 * clone*, fork, vfork. All others carry `enter_ts`, the time of the enter, in the exit; 0 there without
 * RECORD_ENTER_SENT: nobody saw the enter (the call began before the recording).
 *
 * Text:
 *   open, openat, openat2, creat, chdir       exit: the path, without NUL
 *   connect, bind, sendto, sendmsg, sendmmsg  enter (not bind, sendmmsg) and exit: struct sockaddr as the caller gave it, cut to its length
 *   recvfrom, recvmsg, recvmmsg               exit: struct sockaddr as the caller got it, where the caller asked for it:
 *                                             no more than the room that was given (recvmmsg: in the first message)
 *   accept, accept4 (exit), and those above where no address was given (enter of those that send, exit), on a unix socket:
 *                                             struct sockaddr_un: the socket's own name, else its peer's; nothing without both
 *   pipe, pipe2, socketpair                   exit with ret 0: struct pair
 *   clone*, fork, vfork, execve, execveat, set*id (ret 0): exit, and RECORD_CHILD: struct identity, then
 *                                             its filename, arguments and cgroup
 *   execve, execveat that failed              the path, without NUL
 *   prctl (PR_SET_NAME only, ret 0)           exit: the thread's name as it is now, 16 bytes, NUL padded
 * A unix name is an abstract one if its first byte is NUL. */
struct record {
    __u32 size;
    __u8 kind;
    __u8 part;          /* n-th message of sendmmsg and recvmmsg, from 0; 0 else */
    __u16 nr;           /* number of the system call on x86-64; 0xffff: none (RECORD_DEATH) */
    __u64 ts;           /* CLOCK_BOOTTIME, ns: of the enter in RECORD_ENTER, else of the exit */
    __u64 enter_ts;     /* CLOCK_BOOTTIME, ns: of the enter; 0: not seen, or sent as a record of its own */
    __u32 pid;          /* process (thread group), in the initial namespace */
    __u32 tid;          /* thread, in the initial namespace */
    __s64 ret;          /* what the call returned; -errno. Negative results have no payload. 0 in RECORD_ENTER */
    __u64 args[6];
    __u16 cpu;
    __u16 flags;        /* RECORD_... */
    __u32 data_size;    /* payload that follows, bytes: min(true_size, snaplen) unless vectors or pages were out of reach,
                         * or the call itself threw bytes away (MSG_TRUNC: a datagram longer than its buffer) */
    __u64 true_size;    /* bytes the call moved, or this message of it. More than data_size: cut
                         * RECORD_ENTER: 0, but writev, pwritev*, sendmsg: the sum of the vectors, what it is asked to send */
    __u32 text_size;
    __u32 reserved;     /* 0 */
};

/* The descriptor the call worked on or made: the socket's side of sendfile and splice; the first of a pair. In records of
 * I/O, of socket, bind, listen, connect, accept*, shutdown, dup*, open*, pipe*, socketpair where ret tells success (I/O: always).
 * In RECORD_ENTER: of I/O, connect and accept (there, the listening socket). */
struct descriptor {
    __s32 fd;
    __u32 mode;         /* st_mode; 0: the descriptor was gone when it was looked at */
    __u64 inode;
    __u32 device;       /* the kernel's dev_t: major << 20 | minor */
    __u32 open_flags;   /* Linux O_* of the open file */
    __u8 family;        /* AF_INET 2, AF_INET6 10, AF_UNIX 1, others as they are; 0: no socket */
    __u8 protocol;      /* IPPROTO_TCP 6, IPPROTO_UDP 17 ... */
    __u8 socket_type;   /* SOCK_STREAM 1, SOCK_DGRAM 2 ... */
    __u8 state;         /* TCP_ESTABLISHED 1, TCP_CLOSE 7, TCP_LISTEN 10 ... (also of other protocols) */
    __u16 local_port;   /* host order */
    __u16 remote_port;  /* host order; 0: not connected (datagrams: the address is in the text) */
    __u8 local[16];     /* network order; IPv4 in the first four */
    __u8 remote[16];
    __u64 unix_own;     /* address of the kernel's struct sock: a name for the socket, as in inet_diag and sysdig */
    __u64 unix_peer;    /* the same of the other end; 0: not connected */
    __u32 queue_length; /* connections that wait to be accepted; accept: those of the listening socket, not of the new one */
    __u32 queue_max;
};

/* Text of pipe, pipe2, socketpair: the two new descriptors. */
struct pair {
    __s32 first;
    __s32 second;
};

/* What a process is after clone, exec or set*id. Numbers of the initial namespace, unless the name begins with v. */
struct identity {
    __u32 ppid;
    __u32 pgid;
    __u32 sid;
    __u32 vtid;
    __u32 vpid;
    __u32 vpgid;
    __u32 uid;
    __u32 euid;
    __u32 gid;
    __u32 egid;
    __u32 loginuid;       /* 0xffffffff: none */
    __u32 tty;            /* as the kernel gives it to programs: minor & 0xff | major << 8 | minor & ~0xff << 12; 0: none */
    __u64 cap_inheritable;
    __u64 cap_permitted;
    __u64 cap_effective;
    __u64 fdlimit;        /* RLIMIT_NOFILE, soft */
    __u64 major_faults;
    __u64 minor_faults;
    __u32 vm_size;        /* KiB */
    __u32 vm_rss;         /* about: the kernel counts by CPU and adds up later; often 0 right after exec */
    __u32 vm_swap;
    __u32 env_size;       /* bytes of the environment, which is not recorded */
    __u64 exe_inode;
    __u64 cgroup;         /* inode of the process's directory in cgroup2 */
    char comm[16];        /* NUL padded */
    __u16 filename_size;  /* exec that succeeded: the path as it was executed, with its NUL. 0: not known */
    __u16 arguments_size; /* argv with all NULs, at most 4096 bytes; argv[0] is the first */
    __u16 cgroup_size;    /* name of the directory in cgroup2, last part only, with its NUL */
    __u16 arguments_cut;  /* 1: there were more */
};

#endif

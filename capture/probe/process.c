/* What a process is: told when it begins, is executed anew or changes its user; and that a thread ended. */

static __always_inline u32 number_in(u64 pid, u32 level)
{
    return pid ? half(pid + O_PID_NUMBERS + level * SIZE_UPID + O_UPID_NR) : 0;
}

static __always_inline void read_numbers(struct identity *p, u64 task)
{
    u64 pid = word(task + O_TASK_THREAD_PID);
    u64 signal = word(task + O_TASK_SIGNAL);
    u32 level = half(pid + O_PID_LEVEL) & 31; /* MAX_PID_NS_LEVEL is 32 */
    u64 group = word(signal + O_SIGNAL_PIDS + 16); /* PIDTYPE_PGID */
    u64 session = word(signal + O_SIGNAL_PIDS + 24); /* PIDTYPE_SID */
    p->ppid = half(word(task + O_TASK_PARENT) + O_TASK_TGID);
    p->vtid = number_in(pid, level);
    p->vpid = number_in(word(signal + O_SIGNAL_PIDS + 8), level); /* PIDTYPE_TGID */
    p->pgid = number_in(group, 0);
    p->vpgid = number_in(group, level);
    p->sid = number_in(session, 0);
    p->fdlimit = word(signal + O_SIGNAL_RLIM + 16 * 7); /* RLIMIT_NOFILE */
    u64 tty = word(signal + O_SIGNAL_TTY);
    if (tty) {
        u64 driver = word(tty + O_TTY_DRIVER);
        u32 major = half(driver + O_TTY_MAJOR);
        u32 minor = half(driver + O_TTY_MINOR) + half(tty + O_TTY_INDEX);
        p->tty = (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
    }
}

static __always_inline void read_rights(struct identity *p, u64 task)
{
    u64 cred = word(task + O_TASK_CRED);
    p->uid = half(cred + O_CRED_UID);
    p->euid = half(cred + O_CRED_EUID);
    p->gid = half(cred + O_CRED_GID);
    p->egid = half(cred + O_CRED_EGID);
    p->cap_inheritable = word(cred + O_CRED_INHERITABLE);
    p->cap_permitted = word(cred + O_CRED_PERMITTED);
    p->cap_effective = word(cred + O_CRED_EFFECTIVE);
    p->loginuid = -1;
#ifdef O_TASK_LOGINUID
    p->loginuid = half(task + O_TASK_LOGINUID);
#endif
}

static __always_inline u32 resident(u64 mm, u32 kind)
{
    s64 pages = word(mm + O_MM_RSS + kind * SIZE_RSS + O_RSS_COUNT);
    return pages > 0 ? pages * 4 : 0;
}

static __always_inline void read_memory(struct identity *p, u64 task, u64 mm)
{
    p->major_faults = word(task + O_TASK_MAJ);
    p->minor_faults = word(task + O_TASK_MIN);
    p->vm_size = word(mm + O_MM_TOTAL) * 4;
    p->vm_rss = resident(mm, 0) + resident(mm, 1) + resident(mm, 3); /* file, anonymous, shared */
    p->vm_swap = resident(mm, 2);
    u64 env = word(mm + O_MM_ENV_END) - word(mm + O_MM_ENV_START);
    p->env_size = env > 0x7fffffff ? 0 : env;
    u64 file = word(mm + O_MM_EXE);
    p->exe_inode = file ? word(word(file + O_FILE_INODE) + O_INODE_INO) : 0;
}

/* clone*, fork, vfork, execve*, set*id. */
int step_process(struct bpf_raw_tracepoint_args *ctx)
{
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    struct record *r = &s->head;
    u64 task = bpf_get_current_task();
    u32 tid = r->tid;
    /* No descriptor: the text follows the head at once. */
    struct identity *p = (struct identity *)s->body;
    if (r->ret < 0) {
        u64 text = 0;
        if (s->work.class & CLASS_EXEC) {
            s64 size = bpf_probe_read_user_str(s->body, PATH_MOST, (void *)(r->nr == 322 ? r->args[1] : r->args[0]));
            if (size < 0)
                r->flags |= RECORD_FAULT;
            else
                text = size - 1;
        }
        settle(s, n, 0, text);
        return 0;
    }
    __builtin_memset(p, 0, sizeof(*p));
    bpf_get_current_comm(p->comm, sizeof(p->comm));
    p->cgroup = bpf_get_current_cgroup_id();
    read_numbers(p, task);
    read_rights(p, task);
    u64 mm = word(task + O_TASK_MM);
    u64 used = sizeof(*p);
    if (s->work.class & CLASS_EXEC) {
        __builtin_memset(r->args, 0, sizeof(r->args));
        struct executed *e = executed.lookup(&tid);
        if (e) {
            u64 size = e->size;
            if (size > NAME_MOST)
                size = NAME_MOST;
            PIN(size);
            bpf_probe_read_kernel(s->body + sizeof(*p), size, e->name);
            p->filename_size = size;
            used += size;
            executed.delete(&tid);
        }
    }
    if (mm) {
        read_memory(p, task, mm);
        u64 start = word(mm + O_MM_ARG_START), size = word(mm + O_MM_ARG_END) - start;
        if (size > PATH_MOST) {
            p->arguments_cut = 1;
            size = PATH_MOST;
        }
        PIN(size);
        if (used > sizeof(*p) + NAME_MOST)
            used = sizeof(*p) + NAME_MOST;
        PIN(used);
        if (size && bpf_probe_read_user(s->body + used, size, (void *)start)) {
            r->flags |= RECORD_FAULT;
            size = 0;
        }
        p->arguments_size = size;
        used += size;
    }
    if (used > sizeof(*p) + NAME_MOST + PATH_MOST)
        used = sizeof(*p) + NAME_MOST + PATH_MOST;
    PIN(used);
#ifdef O_CGROUP_KN
    u64 node = word(word(word(task + O_TASK_CGROUPS) + O_CSS_CGROUP) + O_CGROUP_KN);
    s64 named = bpf_probe_read_kernel_str(s->body + used, 256, (void *)word(node + O_KN_NAME));
    if (named > 0) {
        p->cgroup_size = named;
        used += named;
    }
#endif
    settle(s, n, 0, used);
    return 0;
}

/* sched_process_exec: the path as the kernel executed it; the program's own copy is gone when the call returns. */
int on_exec(struct bpf_raw_tracepoint_args *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 pid = id >> 32, tid = id, before = ctx->args[1];
    if (is_own(pid))
        return 0;
    if (before != tid) { /* a thread that executes takes its leader's number */
        struct call *c = calls.lookup(&before);
        if (c) {
            struct call kept = *c;
            calls.update(&tid, &kept);
            calls.delete(&before);
        }
    }
    struct scratch *s = own_scratch();
    if (!s)
        return 0;
    struct executed *e = (struct executed *)s->body;
    s64 size = bpf_probe_read_kernel_str(e->name, NAME_MOST, (void *)word(ctx->args[2] + O_BPRM_FILENAME));
    if (size > 0) {
        e->size = size;
        executed.update(&tid, e);
    }
    return 0;
}

/* sched_process_exit: each thread that ends. */
int on_death(struct bpf_raw_tracepoint_args *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 pid = id >> 32, tid = id;
    calls.delete(&tid);
    executed.delete(&tid);
    if (is_own(pid)) {
        if (pid == tid)
            own.delete(&pid);
        return 0;
    }
    struct scratch *s = own_scratch();
    struct counts *n = own_counts();
    if (!s || !n)
        return 0;
    n->seen++;
    fill_head(&s->head, RECORD_DEATH, NO_CALL, id);
    __builtin_memset(s->head.args, 0, sizeof(s->head.args));
    s->head.ret = (u32)half(bpf_get_current_task() + O_TASK_EXIT_CODE);
    s->work.lost = 0;
    settle(s, n, 0, 0);
    return 0;
}

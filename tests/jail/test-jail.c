/*
 * Jails through the library: host root, commands and how they end, limits, what is left behind.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "tests/jail/rig.h"
#include "tests/tap.h"

static Rig rig;

static Cage cage; /* one host-root jail that most tests share */

static void check_shell(const char *script, const char *want, const char *what) {
        Outcome outcome = cage_shell(&cage, script);

        is_text(outcome.out, want, what);
        if (outcome.err && *outcome.err)
                tap_show("stderr", outcome.err);
        outcome_free(&outcome);
}

static void kill_by(int fd) {
        ok(write(fd, "1", 1) == 1, "cgroup.kill is written");
}

static void test_ends(void) {
        static const char *const no_file[] = { "/no/such/file", NULL };
        static const char *const no_name[] = { "no-such-program", NULL };
        static const char *const true_[] = { "/usr/bin/true", NULL };
        Command command = { .argv = true_, .uid = JAIL_USER_ID };
        Outcome outcome = cage_run(&cage, &command);

        ok(outcome.started, "true was started");
        is_number(outcome.end.code, 0, "true exits 0");
        is_number(outcome.end.step, INIT_STEP_NONE, "and no step failed");
        ok(outcome.end.wall_usec > 0 && outcome.end.maxrss_bytes > 0, "its use was measured");
        outcome_free(&outcome);

        outcome = cage_shell(&cage, "exit 7");
        is_number(outcome.end.code, 7, "exit 7");
        outcome_free(&outcome);

        outcome = cage_shell(&cage, "kill -SEGV $$");
        is_number(outcome.end.signal, SIGSEGV, "a signal is a signal");
        outcome_free(&outcome);

        command.argv = no_file;
        outcome = cage_run(&cage, &command);
        ok(!outcome.started, "what is not there was not started");
        is_number(outcome.end.step, INIT_STEP_EXEC, "the step is exec");
        is_number(outcome.end.code, -ENOENT, "and the reason is ENOENT");
        outcome_free(&outcome);

        command.argv = no_name;
        outcome = cage_run(&cage, &command);
        is_number(outcome.end.code, -ENOENT, "not in PATH: ENOENT");
        outcome_free(&outcome);

        command.argv = true_;
        command.cwd = "/nowhere";
        outcome = cage_run(&cage, &command);
        is_number(outcome.end.step, INIT_STEP_CWD, "a missing directory fails at the step cwd");
        outcome_free(&outcome);

        command.cwd = "/";
        command.uid = JAIL_INIT_ID;
        outcome = cage_run(&cage, &command);
        is_number(outcome.end.step, INIT_STEP_REQUEST, "init's own id is refused");
        outcome_free(&outcome);
}

static void test_surroundings(void) {
        check_shell("echo out; echo err >&2", "out\n", "stdout is captured");
        check_shell("id -u; id -g; id -G; id -un", "1000\n1000\n1000\nuser\n",
                    "ids of the command");
        check_shell("grep -h ^Cap /proc/self/status | cut -f2 | sort -u", "0000000000000000\n",
                    "all five capability sets are empty");
        check_shell("grep -hE '^(NoNewPrivs|Seccomp):' /proc/self/status | cut -f2 | tr '\\n' ' '",
                    "1 2 ", "no new privileges, and filters are on");
        check_shell("cd /proc/self/fd; echo *", "0 1 2 3\n",
                    "no descriptor but stdio (3 is the glob's)");
        check_shell("cat /proc/1/status >/dev/null 2>&1; ls /proc/1/fd 2>/dev/null; echo", "\n",
                    "init's descriptors cannot be seen");
        check_shell("kill -9 1 2>/dev/null || echo refused", "refused\n", "init cannot be killed");
        check_shell("umask; pwd; uname -n; echo $$ | grep -qv '^1$' && echo pid",
                    "0022\n/\ncage\npid\n", "umask, directory, host name");
        check_shell("cat /sys/class/net/lo 2>&1 | head -c0; cat /proc/net/dev | grep -c :", "1\n",
                    "the network is the loopback alone");
        check_shell("echo x > /dev/null; head -c2 /dev/zero | wc -c; test -c /dev/tty && echo tty",
                    "2\ntty\n", "devices work");
        check_shell("rm /dev/null 2>/dev/null || mknod /tmp/n c 1 3 2>/dev/null || echo refused",
                    "refused\n", "devices can neither be removed nor made");
        check_shell("echo hi > /dev/stdout", "hi\n", "/dev/stdout can be opened");
        check_shell(
                "for d in /tmp /dev/shm /home/user; do echo x > $d/f && cat $d/f; rm $d/f; done",
                "x\nx\nx\n", "places to write");
        check_shell("touch /usr/f 2>/dev/null || echo refused", "refused\n", "/usr is read-only");
        check_shell(
                "ls / | grep -v 32; ls -d /lib64/ld-linux-x86-64.so.2",
                "bin\ndev\netc\nhome\nlib\nlib64\nmnt\nopt\nproc\nroot\nrun\nsbin\ntmp\nusr\nvar\n"
                "work\n/lib64/ld-linux-x86-64.so.2\n",
                "the root is the skeleton");
        check_shell("unshare -U true 2>/dev/null || echo refused", "refused\n",
                    "no new namespaces");
        check_shell(
                "cat /proc/keys; echo 1 > /proc/sys/kernel/hostname 2>/dev/null || echo refused",
                "refused\n", "/proc is masked");
        check_shell(
                "awk '$5 !~ \"^/(proc|etc/java-|etc/ssl/)\" { print $5 }' /proc/self/mountinfo | "
                "sort | tr '\\n' ' '",
                "/ /dev /dev/pts /dev/shm /etc/alternatives /etc/ld.so.cache /run /tmp /tmp "
                "/usr ",
                "the mounts are these (and what some hosts have), the upper is covered at /tmp");
        check_shell("awk '$6 !~ /nosuid/ || ($6 !~ /nodev/ && $6 !~ /^ro/ && $5 != \"/dev/pts\") "
                    "{ print $5 }' /proc/self/mountinfo",
                    "", "all are nosuid, and nodev but for devices");
        check_shell("ls -a /tmp | tr '\\n' ' '", ". .. ", "what is covered cannot be seen");
        check_shell("ulimit -c; ulimit -n", "0\n1024\n", "limits of the command");
}

static void test_root(void) {
        static const char *const argv[] = {
                "sh", "-c", "id -u; touch /f && chown 1000 /f 2>/dev/null || echo no", NULL
        };
        const Command command = { .argv = argv };
        Outcome outcome = cage_run(&cage, &command);

        is_text(outcome.out, "0\nno\n", "id 0 is root without a capability");
        outcome_free(&outcome);
}

/* The three of files jobs: for id 0 alone, and only over what the jail's own ids own. */
static void test_files_caps(void) {
        static const char *const caps[] = { "sh", "-c",
                                            "grep -h ^Cap /proc/self/status | tr '\\t\\n' '  '",
                                            NULL };
        static const char *const reach[] = {
                "sh", "-c",
                "cd /home/user; echo x >f && chown 1234:77 f && chmod 0 f && cat f; stat -c %u:%g "
                "f;"
                "for c in 'chown 0 /proc/self/root/usr' 'chmod 777 /usr' 'cat /proc/1/environ' "
                "'kill -0 1' 'mknod n c 1 3' 'chroot / true' 'unshare -U true' 'mount -t tmpfs n "
                "/mnt' "
                "'hostname x' 'date -s 0' 'renice -n -5 1'; do $c >/dev/null 2>&1 && echo \"$c: "
                "works\"; done; "
                "echo end",
                NULL
        };
        Plan plan = rig_plan();
        Command command = { .argv = caps };
        Outcome outcome;
        Cage files;

        plan.flags |= PLAN_FILES_CAPS;
        files = cage_host(&rig, &plan);
        outcome = cage_run(&files, &command);
        is_text(outcome.out,
                "CapInh: 000000000000000b CapPrm: 000000000000000b CapEff: 000000000000000b "
                "CapBnd: 0000000000000000 CapAmb: 000000000000000b ",
                "id 0 of a files job keeps CHOWN, DAC_OVERRIDE, FOWNER and can gain none");
        outcome_free(&outcome);
        command.argv = reach;
        outcome = cage_run(&files, &command);
        is_text(outcome.out, "x\n1234:77\nend\n", "over the jail's own files, and nothing else");
        outcome_free(&outcome);
        command = (Command){ .argv = caps, .uid = JAIL_USER_ID };
        outcome = cage_run(&files, &command);
        is_text(outcome.out,
                "CapInh: 0000000000000000 CapPrm: 0000000000000000 CapEff: 0000000000000000 "
                "CapBnd: 0000000000000000 CapAmb: 0000000000000000 ",
                "another id of it has none of them");
        outcome_free(&outcome);
        cage_end(&files);
}

static void test_output(void) {
        static const char *const lines[] = { "seq", "1", "100000", NULL };
        Command command = { .argv = lines, .uid = JAIL_USER_ID, .keep = 100 };
        Outcome outcome = cage_run(&cage, &command);

        is_number((long long) outcome.end.seen[0], 588895, "all output was seen");
        is_number((long long) outcome.end.kept[0], 100, "as much was kept as asked");
        is_number((long long) outcome.end.cut_at[0], 50, "with the gap in the middle");
        ok(outcome.out && strncmp(outcome.out, "1\n2\n", 4) == 0 &&
                   strcmp(outcome.out + 93, "100000\n") == 0,
           "head and tail");
        outcome_free(&outcome);

        command.output_max = 1000;
        command.slot = 1;
        command.keep = 0;
        {
                uint64_t id = cage_send(&cage, &command);
                InitEvent event;
                int fds[8];

                do
                        is_number(cage_event(&cage, &event, fds), 0, "an event comes");
                while (event.kind != INIT_OUTPUT_LIMIT);
                kill_by(cage.fds[JAIL_FD_SLOT_1_KILL]);
                outcome = cage_wait(&cage, id);
                is_number(outcome.end.signal, SIGKILL, "output limit, then killed by its slot");
                outcome_free(&outcome);
        }
        command.merge = true;
        command.output_max = 0;
        command.argv = (const char *const[]){ "sh", "-c", "echo a; echo b >&2; echo c", NULL };
        outcome = cage_run(&cage, &command);
        is_text(outcome.out, "a\nb\nc\n", "merged streams keep their order");
        is_number(outcome.end.n_fds, 1, "and are one");
        outcome_free(&outcome);
}

static uint64_t read_number(int fd) {
        uint64_t value = 0;

        (void) fd_read_number(fd, &value);
        return value;
}

static uint64_t read_keyed(int fd, const char *key) {
        uint64_t value = 0;

        (void) fd_read_keyed(fd, key, &value);
        return value;
}

static void await_empty(unsigned events) {
        int tries;

        for (tries = 0; tries < WAIT_MSEC && read_keyed(cage.fds[events], "populated"); tries++)
                usleep(1000);
        ok(tries < WAIT_MSEC, "cgroup.kill empties the slot");
}

static void test_memory(void) {
        uint64_t before = read_keyed(cage.fds[JAIL_FD_OOM], "oom_kill");
        Outcome outcome = cage_shell(&cage, "head -c 300M /dev/zero | tail -c 299M | wc -c");

        ok(read_keyed(cage.fds[JAIL_FD_OOM], "oom_kill") > before,
           "the kernel counted an oom kill");
        outcome_free(&outcome);
        outcome = cage_shell(&cage, "echo alive");
        is_text(outcome.out, "alive\n", "the jail lives on");
        ok(read_number(cage.fds[JAIL_FD_MEMORY_PEAK]) <= 128u << 20, "the limit held");
        outcome_free(&outcome);
}

static void test_pids(void) {
        uint64_t before = read_keyed(cage.fds[JAIL_FD_PIDS_EVENTS], "max");
        Outcome outcome = cage_shell(&cage, "for i in $(seq 200); do sleep 60 & done; wait");

        ok(read_keyed(cage.fds[JAIL_FD_PIDS_EVENTS], "max") > before, "the pids limit was hit");
        ok(outcome.end.code != 0, "and the shell noticed");
        outcome_free(&outcome);
        kill_by(cage.fds[JAIL_FD_SLOT_0_KILL]);
        kill_by(cage.fds[JAIL_FD_SLOT_1_KILL]);
        await_empty(JAIL_FD_SLOT_0_EVENTS);
        await_empty(JAIL_FD_SLOT_1_EVENTS);
}

static void test_disk(void) {
        Outcome outcome = cage_shell(
                &cage, "head -c 20M /dev/zero > /home/user/big; s=$?; ls /home/user; exit $s");

        is_number(outcome.end.code, 1, "the disk limit holds");
        is_number(outcome.end.disk_full & 1, 1, "and is seen");
        outcome_free(&outcome);
        check_shell("rm /home/user/big; head -c 20M /dev/zero > /tmp/big || rm /tmp/big; ls /tmp",
                    "", "/tmp counts too");
        outcome = cage_shell(
                &cage,
                "cd /tmp; for i in $(seq 3000); do : > f$i || break; done; ls | wc -l; rm -f f*");
        ok(outcome.out && atoi(outcome.out) < 2000, "the inode limit holds");
        outcome_free(&outcome);
}

/* A slot whose processes outlive their command is emptied by its cgroup.kill, and the jail goes on. */
static void test_daemon(void) {
        static const char *const argv[] = { "sh", "-c",
                                            "setsid sleep 600 & setsid -f sleep 600; exit 0",
                                            NULL };
        const Command command = { .argv = argv, .uid = JAIL_USER_ID };
        Outcome outcome = cage_run(&cage, &command);
        is_number((long long) outcome.end.value, 1, "what a command left behind is reported");
        outcome_free(&outcome);
        kill_by(cage.fds[JAIL_FD_SLOT_0_KILL]);
        await_empty(JAIL_FD_SLOT_0_EVENTS);
        check_shell("pgrep -c sleep", "0\n", "the daemons are gone");
        outcome = cage_run(&cage, &(Command){ .argv = (const char *const[]){ "true", NULL } });
        is_number(outcome.end.code, 0, "the slot takes the next command");
        is_number((long long) outcome.end.value, 0, "and is empty after it");
        outcome_free(&outcome);
}

static void test_parked_killed(void) {
        Outcome outcome;
        unsigned i, good = 0;

        for (i = 0; i < 20; i++) {
                kill_by(cage.fds[JAIL_FD_SLOT_0_KILL]);
                outcome = cage_run(&cage,
                                   &(Command){ .argv = (const char *const[]){ "true", NULL } });
                good += outcome.end.code == 0 && outcome.end.signal == 0;
                if (outcome.end.code || outcome.end.signal)
                        printf("# code %d signal %d step %u\n", outcome.end.code,
                               outcome.end.signal, outcome.end.step);
                outcome_free(&outcome);
        }
        is_number(good, 20, "a command whose parked child was killed gets another");
}

/* Groups, processes and lock files of our instance. */
static int count_left(void) {
        char command[256];

        (void) snprintf(command, sizeof(command),
                        "exit $(find /sys/fs/cgroup -path '*warder-%s/*' -type d | wc -l)",
                        rig.instance);
        return WEXITSTATUS(system(command));
}

static void test_nothing_left(void) {
        Plan plan = rig_plan();
        Cage killed = cage_host(&rig, &plan);
        Jail *shell = NULL;
        Error err = ERROR_EMPTY;

        (void) cage_send(&killed,
                         &(Command){ .argv = (const char *const[]){ "sleep", "600", NULL } });
        cage_end(&killed);
        cage_end(&cage);
        is_number(jail_new_shell(rig.sandbox, &shell, &err), 0, "a shell");
        shell = jail_free(shell);
        is_number(count_left(), 0, "no group is left");
        is_number(system("! pgrep -P $PPID -x warder-init"), 0, "no process is left");
}

int main(void) {
        Plan plan = rig_plan();

        if (geteuid() != 0) {
                tap_skip_all("root");
                return tap_end();
        }
        rig_start(&rig);
        cage = cage_host(&rig, &plan);
        test_ends();
        test_surroundings();
        test_root();
        test_files_caps();
        test_output();
        test_memory();
        test_pids();
        test_disk();
        test_daemon();
        test_parked_killed();
        test_nothing_left();
        rig_end(&rig);
        return tap_end();
}

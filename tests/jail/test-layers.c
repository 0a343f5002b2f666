/*
 * Roots and views: imported layers, a caller's directory, a layer in the making, the upper of another
 * jail, roots that a hostile archive made; and what init does on request beside commands.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "sandbox/jail-slots.h"
#include "sandbox/priv-mount.h"
#include "tests/jail/rig.h"
#include "tests/tap.h"

#define DIR_UID 501u

static Rig rig;

static void shell(const char *format, const char *a) {
        char command[1024];

        (void) snprintf(command, sizeof(command), "cd %s && %s %s", rig.dir, format, a);
        if (system(command) != 0)
                printf("# failed: %s\n", command);
}

/* A root of busybox alone, and a layer over it; everything owned in the store's range. */
static void make_layers(void) {
        char ids[64];

        shell("mkdir -p store/base/bin store/base/srv store/top/srv store/new/n dir && "
              "cp $(command -v busybox) store/base/bin/busybox && "
              "for f in sh cat ls id echo rm touch stat mkdir mv seq sleep head; do "
              "ln -s busybox store/base/bin/$f; done && echo base > store/base/srv/f && "
              "echo below > store/base/srv/g && echo top > store/top/srv/f && echo own > dir/f",
              "");
        (void) snprintf(ids, sizeof(ids), "%u:%u store/base store/top store/new/n", RIG_ID_BASE,
                        RIG_ID_BASE);
        shell("chown -hR", ids);
        (void) snprintf(ids, sizeof(ids), "%u:%u store/base/srv/g", RIG_ID_BASE + 1000,
                        RIG_ID_BASE + 1000);
        shell("chown", ids);
        (void) snprintf(ids, sizeof(ids), "%u:%u dir dir/f", DIR_UID, DIR_UID);
        shell("chown", ids);
}

static Plan plan_of(uint32_t n_layers, uint32_t n_root) {
        Plan plan = rig_plan();
        uint32_t i;

        plan.flags = 0;
        plan.n_layers = n_layers;
        plan.views[0].n = n_root;
        for (i = 0; i < n_layers; i++)
                plan.layers[i] = (PlanLayer){ .kind = LAYER_STORE };
        return plan;
}

static Cage cage_of(const Plan *plan, const JailLayer *layers) {
        Error err = ERROR_EMPTY;
        Cage cage = { .jail = NULL };

        is_number(plan_check(plan, &err), 0, "the plan is good");
        is_number(cage_try(&rig, plan, layers, &cage, &err), 0, "the jail is built");
        if (!cage.jail) {
                printf("Bail out! %s\n", err.text);
                exit(1);
        }
        return cage;
}

static void check(Cage *cage, const char *script, const char *want, const char *what) {
        Outcome outcome = cage_shell(cage, script);

        if (!is_text(outcome.out, want, what))
                tap_show("stderr", outcome.err);
        outcome_free(&outcome);
}

static void check_file(const char *path, const char *want, const char *what) {
        autoclose int fd = openat(rig.store, path, O_RDONLY | O_CLOEXEC);
        char text[256] = "";

        (void) !read(fd, text, sizeof(text) - 1);
        is_text(text, want, what);
}

static void test_imported(void) {
        Plan plan = plan_of(2, 2);
        JailLayer layers[] = { rig_layer(&rig, "top"), rig_layer(&rig, "base") };
        Cage cage = cage_of(&plan, layers);

        check(&cage, "cat /srv/f /srv/g", "top\nbelow\n", "layers are merged");
        check(&cage, "stat -c %u:%g /srv/f /srv/g", "0:0\n1000:1000\n", "ids are the jail's");
        check(&cage, "id -un; cat /etc/hosts | head -1", "user\n127.0.0.1 localhost\n",
              "user and hosts were added");
        check(&cage, "touch /home/user/x && echo mine > /srv/g && cat /srv/g", "mine\n",
              "what is the user's can be written");
        check(&cage, "touch /srv/x 2>/dev/null || echo refused", "refused\n",
              "what is root's cannot");
        check_file("base/srv/g", "below\n", "the layer on disk is as it was");
        check(&cage, "ls /usr 2>/dev/null; ls / | head -3", "bin\ndev\netc\n",
              "nothing of the host");
        check(&cage, "mkdir /tmp/d && mv /tmp/d /tmp/e && ls /tmp", "e\n", "renames in /tmp");
        cage_end(&cage);
        (void) close(layers[0].fd);
        (void) close(layers[1].fd);
}

static void test_views(void) {
        Plan plan = plan_of(6, 1);
        JailLayer layers[] = { rig_layer(&rig, "base"),
                               rig_layer(&rig, "top"),
                               rig_layer(&rig, "base"),
                               rig_layer(&rig, "new/n"),
                               { .from_uid = DIR_UID,
                                 .from_gid = DIR_UID,
                                 .to_uid = 1000,
                                 .to_gid = 1000,
                                 .count = 1,
                                 .space = -EBADF },
                               rig_layer(&rig, "top") };
        char path[256];
        Cage cage;
        struct stat st = { 0 };

        (void) snprintf(path, sizeof(path), "%s/dir", rig.dir);
        layers[4].fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        plan.layers[3].kind = LAYER_NEW;
        plan.layers[4] = (PlanLayer){ .kind = LAYER_DIR, .fd = 1, .conn = 2 };
        plan.n_fds = 3;
        plan.n_views = 5;
        plan.views[1] = (PlanView){ VIEW_OLD, 0, 1, 2 };
        plan.views[2] = (PlanView){ VIEW_OUT, VIEW_DIRECT | VIEW_WRITABLE, 3, 1 };
        plan.views[3] = (PlanView){ VIEW_WORK, VIEW_WRITABLE, 4, 1 };
        plan.views[4] = (PlanView){ VIEW_NEW, VIEW_DIRECT, 5, 1 };
        cage = cage_of(&plan, layers);
        check(&cage, "cat /old/srv/f /old/srv/g; touch /old/x 2>/dev/null || echo refused",
              "top\nbelow\nrefused\n", "a merged view is read-only");
        check(&cage, "cat /new/srv/f; touch /new/x 2>/dev/null || echo refused", "top\nrefused\n",
              "a direct view is read-only");
        check(&cage, "stat -c %u /work /work/f; echo more >> /work/f; cat /work/f; touch /work/g",
              "1000\n1000\nown\nmore\n", "a caller's directory belongs to the user, copy-on-write");
        (void) snprintf(path, sizeof(path), "test \"$(cat %s/dir/f)$(ls %s/dir)\" = ownf", rig.dir,
                        rig.dir);
        is_number(system(path), 0, "and is as it was");
        {
                Command command = { .argv = (const char *const[]){ "sh", "-c", "echo x > /out/f",
                                                                   NULL },
                                    .slot = 1 };
                Outcome outcome = cage_run(&cage, &command);

                is_number(outcome.end.code, 0, "a layer in the making takes files");
                outcome_free(&outcome);
        }
        check_file("new/n/f", "x\n", "which are in the store");
        (void) fstatat(rig.store, "new/n/f", &st, 0);
        is_number(st.st_uid, RIG_ID_BASE, "and owned in its range");
        cage_end(&cage);
}

/* Opens a directory that only a mount namespace of its own shows, says so on @ready, and stays. */
static void stay_elsewhere(int ready) {
        char path[256];
        int dir;

        (void) snprintf(path, sizeof(path), "%s/far", rig.dir);
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("far", path, "tmpfs", 0, "size=1m,mode=755,uid=501,gid=501") < 0)
                _exit(1);
        dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fchown(openat(dir, "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0644), DIR_UID, DIR_UID) < 0)
                _exit(1);
        (void) fd_write_all(ready, &dir, sizeof(dir));
        (void) pause();
        _exit(0);
}

/* A caller of another mount namespace, as every one is to a unit with ProtectSystem. */
static void test_elsewhere(void) {
        Plan plan = plan_of(2, 1);
        JailLayer layers[] = { rig_layer(&rig, "base"),
                               { .from_uid = DIR_UID,
                                 .from_gid = DIR_UID,
                                 .to_uid = 1000,
                                 .to_gid = 1000,
                                 .count = 1 } };
        int ready[2], dir = -EBADF;
        Error err = ERROR_EMPTY;
        pid_t pid;
        Cage cage;

        shell("mkdir far", "");
        ok(pipe2(ready, O_CLOEXEC) == 0, "a pipe");
        pid = fork();
        if (pid == 0)
                stay_elsewhere(ready[1]);
        (void) close(ready[1]);
        ok(read(ready[0], &dir, sizeof(dir)) == sizeof(dir), "a caller has a namespace of its own");
        layers[1].space = (int) syscall(SYS_pidfd_open, pid, 0);
        layers[1].fd = (int) syscall(SYS_pidfd_getfd, layers[1].space, dir, 0);
        ok(mount_clone(layers[1].fd, "", 0, -EBADF, &err) < 0,
           "its mount cannot be cloned from here");
        plan.layers[1] = (PlanLayer){ .kind = LAYER_DIR, .fd = 1, .conn = 2 };
        plan.n_fds = 3;
        plan.n_views = 2;
        plan.views[1] = (PlanView){ VIEW_WORK, VIEW_WRITABLE, 1, 1 };
        cage = cage_of(&plan, layers);
        check(&cage, "ls /work; stat -c %u /work/f; touch /work/g && ls /work", "f\n1000\nf\ng\n",
              "its directory is seen all the same");
        cage_end(&cage);
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        fds_close((int[]){ ready[0], layers[0].fd, layers[1].fd, layers[1].space }, 4);
}

/* What hosts need whose tmpfs cannot be mapped: the shell has the ids of the upper's jail. */
static void test_same_ids(Cage *cage, const Plan *plan, const JailLayer *layers) {
        struct pollfd channel = { .events = POLLIN };
        Error err = ERROR_EMPTY;
        Jail *like = NULL;

        is_number(jail_new_shell_like(cage->jail, &like, &err), 0, "a shell with the same ids");
        is_number(jail_id_base(like), jail_id_base(cage->jail), "has them");
        while (jail_state(like) != JAIL_RUNNING) {
                if (jail_state(like) == JAIL_SHELL)
                        is_number(jail_build(like, plan, layers, rig.filter, &err), 0,
                                  "it is built with the upper as it is");
                channel.fd = jail_channel(like);
                if (poll(&channel, 1, WAIT_MSEC) != 1 || jail_dispatch(like, &err) < 0)
                        break;
        }
        is_text(err.text, "", "without a word");
        is_number(jail_state(like), JAIL_RUNNING, "and runs");
        like = jail_free(like);
}

/* In a jail with ids of its own, where the kernel can map a tmpfs. */
static void check_shown(const Plan *plan, const JailLayer *layers, const char *command,
                        const char *want, const char *what) {
        Cage cage;

        if (!sandbox_facts(rig.sandbox)->upper_map) {
                tap_skip(what, "a tmpfs that can be mapped (Linux 6.3)");
                return;
        }
        cage = cage_of(plan, layers);
        check(&cage, command, want, what);
        cage_end(&cage);
}

static void test_upper(void) {
        Plan plan = plan_of(1, 1), second = plan_of(3, 2);
        JailLayer layers[3] = { rig_layer(&rig, "base") };
        Outcome outcome;
        int status;
        Cage cage;

        plan.flags = PLAN_KEEP_UPPER;
        cage = cage_of(&plan, layers);
        check(&cage, "echo from-first > /home/user/f", "", "a jail changes its root");
        outcome = cage_run(&cage,
                           &(Command){ .argv = (const char *const[]){ "rm", "/srv/g", NULL } });
        is_number(outcome.end.code, 0, "and removes a file of its layer");
        outcome_free(&outcome);
        layers[1] = layers[0];
        layers[0] = (JailLayer){ .fd = jail_upper_open(cage.jail, 0, NULL),
                                 .from_uid = jail_id_base(cage.jail),
                                 .from_gid = jail_id_base(cage.jail),
                                 .count = JAIL_IDS,
                                 .space = -EBADF };
        layers[2] = layers[0];
        second.layers[0].kind = second.layers[2].kind = LAYER_UPPER;
        second.n_views = 2;
        second.views[1] = (PlanView){ VIEW_UPPER, VIEW_DIRECT, 2, 1 };
        check_shown(&second, layers,
                    "cat /home/user/f; stat -c %u /home/user/f; ls /srv; ls /upper/home/user",
                    "from-first\n1000\nf\nf\n", "another one shows its upper while it runs");

        (void) jail_kill(cage.jail);
        while (jail_reap(cage.jail, &status, NULL) == -EAGAIN)
                usleep(1000);
        is_number(jail_state(cage.jail), JAIL_ENDED, "the first has ended");
        (void) close(layers[0].fd);
        is_number(jail_id_base(cage.jail), layers[0].from_uid, "its ids are still its own");
        layers[0].fd = layers[2].fd = jail_upper_open(cage.jail, 0, NULL);
        check_shown(&second, layers, "cat /home/user/f; ls /srv", "from-first\nf\n",
                    "its kept upper is still there");
        test_same_ids(&cage, &second, layers);
        (void) close(layers[0].fd);
        cage_end(&cage);
}

static void refuse_root(const char *change, const char *names, const char *what) {
        Plan plan = plan_of(1, 1);
        Error err = ERROR_EMPTY;
        JailLayer layer;
        Cage cage;
        char owner[64];

        shell("rm -rf store/bad && mkdir -p store/bad && cd store/bad &&", change);
        (void) snprintf(owner, sizeof(owner), "%u:%u store/bad", RIG_ID_BASE, RIG_ID_BASE);
        shell("chown -hR", owner);
        layer = rig_layer(&rig, "bad");
        ok(cage_try(&rig, &plan, &layer, &cage, &err) < 0, "%s", what);
        has_text(err.text, names, "by name");
        (void) close(layer.fd);
}

static void test_hostile_roots(void) {
        refuse_root("ln -s /etc dev", "/dev", "a root whose /dev is a link is refused");
        refuse_root("touch proc", "/proc", "a root whose /proc is a file");
        refuse_root("ln -s /tmp etc", "/etc", "a root whose /etc is a link");
        refuse_root("ln -s / tmp", "/tmp", "a root whose /tmp is a link");
        refuse_root("mkdir etc && ln -s /proc/1/mem etc/passwd", "/etc/passwd",
                    "a root whose /etc/passwd is a link");
        refuse_root("mkdir etc && mkfifo etc/group", "/etc/group",
                    "one whose /etc/group is a fifo");
}

/* ---- requests of init ----------------------------------------------------------------------------- */

static InitEvent ask(Cage *cage, const void *request, size_t n, const char *blob, int *ret_fd) {
        char message[4096];
        InitEvent event = { 0 };
        int fds[FDS_MAX] = { -EBADF };
        size_t blob_n = blob ? strlen(blob) + 1 : 0;

        memcpy(message, request, n);
        if (blob)
                memcpy(message + n, blob, blob_n);
        (void) fds_send(cage->fds[JAIL_FD_INIT], message, n + blob_n, ret_fd,
                        ret_fd && *ret_fd >= 0 ? 1 : 0);
        if (cage_event(cage, &event, fds) < 0)
                event.code = -ETIMEDOUT;
        if (ret_fd)
                *ret_fd = fds[0];
        return event;
}

static int open_in(Cage *cage, const char *path, uint32_t flags, int *ret_fd) {
        InitOpen request = { .head = { INIT_OPEN, (uint32_t) strlen(path) + 1, 77 },
                             .flags = flags,
                             .mode = 0644,
                             .uid = 1000,
                             .gid = 1000 };

        *ret_fd = -EBADF;
        return ask(cage, &request, sizeof(request), path, ret_fd).code;
}

static void test_open(Cage *cage) {
        const uint32_t write_new = INIT_OPEN_WRITE | INIT_OPEN_CREATE;
        char text[16] = "";
        int fd;

        is_number(open_in(cage, "/home/user/a/b/f", write_new | INIT_OPEN_PARENTS, &fd), 0,
                  "open makes a file and its directories");
        ok(write(fd, "hello\n", 6) == 6, "it can be written");
        (void) close(fd);
        check(cage, "cat /home/user/a/b/f; stat -c %u /home/user/a /home/user/a/b/f",
              "hello\n1000\n1000\n", "and is the user's");
        is_number(open_in(cage, "/home/user/a/b/f", INIT_OPEN_READ, &fd), 0, "open for reading");
        ok(read(fd, text, sizeof(text)) == 6, "it can be read");
        (void) close(fd);
        is_number(open_in(cage, "/home/user/a/b/f", INIT_OPEN_WRITE | INIT_OPEN_TRUNCATE, &fd), 0,
                  "open to truncate");
        (void) close(fd);
        check(cage, "stat -c %s /home/user/a/b/f", "0\n", "it is empty");
        is_number(open_in(cage, "/nowhere", INIT_OPEN_READ, &fd), -ENOENT, "a missing file");
        is_number(open_in(cage, "/etc/shadow-of-root", write_new, &fd), -EACCES,
                  "not where the user may not write");
        is_number(open_in(cage, "/proc/self/mem", INIT_OPEN_READ, &fd), -EACCES,
                  "nothing of /proc");
        is_number(open_in(cage, "/proc/self/ns/mnt", INIT_OPEN_READ, &fd), -ELOOP, "no magic link");
        is_number(open_in(cage, "/dev/zero", INIT_OPEN_READ, &fd), -EACCES, "no device");
        is_number(open_in(cage, "relative", INIT_OPEN_READ, &fd), -EINVAL, "no relative path");
        check(cage, "rm -rf /tmp/l; ln -s /proc/self/environ /tmp/l", "", "a link to /proc");
        is_number(open_in(cage, "/tmp/l", INIT_OPEN_READ, &fd), -EACCES, "is not followed there");
        is_number(open_in(cage, "/home/user", INIT_OPEN_READ, &fd), 0, "a directory can be read");
        (void) close(fd);
}

static void test_listen(Cage *cage) {
        InitListen request = { .head = { INIT_LISTEN, 0, 78 } };
        int fd = -EBADF;
        InitEvent event = ask(cage, &request, sizeof(request), NULL, &fd);

        is_number(event.code, 0, "a listener in the jail's network");
        ok(event.value > 0 && fd >= 0, "with a port");
        (void) close(fd);
        request.port = 80;
        fd = -EBADF;
        event = ask(cage, &request, sizeof(request), NULL, &fd);
        is_number((long long) event.value, 80, "port 80 is free to take");
        (void) close(fd);
}

static void test_slot(Cage *cage) {
        InitSlot request = { .head = { INIT_SLOT, 0, 79 } };
        const CommandLimits none = { 0 };
        int fds[_SLOT_FD_NARROW_MAX], dir;
        Error err = ERROR_EMPTY;
        Outcome outcome;

        is_number(jail_slot(cage->jail, SLOT_ANY, &none, &request.slot, fds, &err), 0,
                  "a further slot");
        is_number(request.slot, JAIL_SLOTS_FIRST, "has the next number");
        dir = fds[SLOT_FD_DIR];
        is_number(ask(cage, &request, sizeof(request), NULL, &dir).code, 0, "init takes it");
        outcome = cage_run(cage,
                           &(Command){ .argv = (const char *const[]){ "sh", "-c", "exit 3", NULL },
                                       .slot = request.slot });
        is_number(outcome.end.code, 3, "and runs a command there");
        outcome_free(&outcome);
        fds_close(fds, _SLOT_FD_MAX);
        dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        request.slot++;
        ok(ask(cage, &request, sizeof(request), NULL, &dir).code < 0,
           "what is no group is refused");
}

static void test_signal(Cage *cage) {
        InitSignal request = { .head = { INIT_SIGNAL, 0, 4711 }, .signal = SIGTERM };
        InitEvent event;
        Outcome outcome;
        int fds[FDS_MAX];

        is_number(ask(cage, &request, sizeof(request), NULL, NULL).code, -ESRCH,
                  "no command, no signal");
        request.head.id = cage_send(
                cage, &(Command){ .argv = (const char *const[]){ "sleep", "600", NULL } });
        do
                (void) cage_event(cage, &event, fds);
        while (event.kind != INIT_STARTED);
        is_number(ask(cage, &request, sizeof(request), NULL, NULL).code, 0, "a signal is sent");
        outcome = cage_wait(cage, request.head.id);
        is_number(outcome.end.signal, SIGTERM, "and ends the command");
        outcome_free(&outcome);
}

static void test_bad_requests(Cage *cage) {
        InitExec request = { .head = { INIT_EXEC, 5, 99 }, .argc = 1 };
        InitHead unknown = { .kind = 99, .id = 1 };

        is_number(ask(cage, &request, sizeof(request), "ab", NULL).code, -EBADMSG,
                  "a blob of another size than said");
        request.head.blob = 3;
        request.argc = 7;
        is_number(ask(cage, &request, sizeof(request), "ab", NULL).code, -EBADMSG,
                  "fewer words than said");
        request.slot = 63;
        is_number(ask(cage, &request, sizeof(request), "ab", NULL).code, -ENOENT, "no such slot");
        (void) fds_send(cage->fds[JAIL_FD_INIT], &unknown, sizeof(unknown), NULL, 0);
        (void) fds_send(cage->fds[JAIL_FD_INIT], "x", 1, NULL, 0);
        check(cage, "echo alive", "alive\n", "what is no request changes nothing");
}

static void test_requests(void) {
        Plan plan = plan_of(1, 1);
        JailLayer layer = rig_layer(&rig, "base");
        Cage cage = cage_of(&plan, &layer);

        test_open(&cage);
        test_listen(&cage);
        test_slot(&cage);
        test_signal(&cage);
        test_bad_requests(&cage);
        cage_end(&cage);
        (void) close(layer.fd);
}

int main(void) {
        if (geteuid() != 0 || system("command -v busybox >/dev/null") != 0) {
                tap_skip_all("root and busybox");
                return tap_end();
        }
        rig_start(&rig);
        make_layers();
        test_imported();
        test_views();
        if (sandbox_facts(rig.sandbox)->upper_map)
                test_elsewhere();
        else
                tap_skip("a caller's mount namespace", "a tmpfs that can be mapped (Linux 6.3)");
        test_upper();
        test_hostile_roots();
        test_requests();
        rig_end(&rig);
        return tap_end();
}

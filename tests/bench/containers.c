/* containers: see containers.h. */
#include "tests/bench/containers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/spawn.h"

/* What crun and runc are asked for: all that a jail has and they can do without a helper. %s: the root, the command. */
static const char config[] =
        "{\"ociVersion\":\"1.0.2\",\"process\":{\"user\":{\"uid\":1000,\"gid\":1000},\"args\":%s,"
        "\"env\":[\"PATH=/bin\"],\"cwd\":\"/\",\"noNewPrivileges\":true,\"capabilities\":{}},"
        "\"root\":{\"path\":\"%s\",\"readonly\":true},\"hostname\":\"jail\",\"mounts\":["
        "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
        "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\","
        "\"mode=755\",\"size=64k\"]},{\"destination\":\"/"
        "tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
        "\"options\":[\"nosuid\",\"nodev\"]}],\"linux\":{\"uidMappings\":[{\"containerID\":0,"
        "\"hostID\":1800000000,\"size\":65536}],\"gidMappings\":[{\"containerID\":0,"
        "\"hostID\":1800000000,\"size\":65536}],\"namespaces\":[{\"type\":\"pid\"},{\"type\":"
        "\"network\"},"
        "{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"},{\"type\":\"user\"},{\"type\":"
        "\"cgroup\"}],"
        "\"resources\":{\"memory\":{\"limit\":268435456},\"pids\":{\"limit\":64}},"
        "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_64\"]"
        ","
        "\"syscalls\":[{\"names\":[\"mount\",\"umount2\",\"ptrace\",\"bpf\",\"keyctl\",\"kexec_"
        "load\","
        "\"perf_event_open\",\"unshare\",\"setns\",\"init_module\"],\"action\":\"SCMP_ACT_ERRNO\"}]"
        "}}}";

static char once[96],
        live[96]; /* directories of the two bundles, written by containers_prepare() */

int containers_own_mounts(Error *err) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set(err, -errno, "have mounts of one's own");
        if (access("/sys/fs/cgroup/memory", F_OK) == 0)
                (void) umount2("/sys/fs/cgroup/unified", MNT_DETACH);
        return 0;
}

static int write_config(const char *bundle, const char *root, const char *args, Error *err) {
        char path[128];
        FILE *file;

        (void) snprintf(path, sizeof(path), "%s/config.json", bundle);
        file = fopen(path, "we");
        if (!file || fprintf(file, config, args, root) < 0 || fclose(file) != 0)
                return error_set(err, -errno, "write %s", path);
        return 0;
}

int containers_prepare(const Bench *bench, Error *err) {
        char root[96];
        int r;

        (void) snprintf(root, sizeof(root), "%s/root", bench->dir);
        (void) snprintf(once, sizeof(once), "%s/peers/once", bench->dir);
        (void) snprintf(live, sizeof(live), "%s/peers/live", bench->dir);
        r = spawn_shell("mkdir -p \"$1\"/peers/once \"$1\"/peers/live", bench->dir, err);
        if (r >= 0)
                r = write_config(once, root, "[\"" BUSYBOX "\",\"true\"]", err);
        return r < 0 ? r : write_config(live, root, "[\"" BUSYBOX "\",\"sleep\",\"100000\"]", err);
}

void containers_id(const Bench *bench, unsigned number, char *id) {
        (void) snprintf(id, CONTAINER_ID_MAX, "bench-%s-%u", strrchr(bench->dir, '-') + 1, number);
}

int container_run(const char *engine, const char *id, Error *err) {
        const char *argv[] = { engine, "run", "--bundle", once, id, NULL };

        return spawn_wait(argv, err);
}

int container_start(const char *id, char *ret_pid, Error *err) {
        char file[160];
        const char *argv[] = {
                "crun", "run", "-d", "--pid-file", file, "--bundle", live, id, NULL
        };
        autoclose int fd = -EBADF;
        ssize_t n;
        int r;

        (void) snprintf(file, sizeof(file), "%s/pid-%s", live, id);
        r = spawn_wait(argv, err);
        if (r < 0)
                return r;
        fd = open(file, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, ret_pid, CONTAINER_PID_MAX - 1);
        if (n <= 0)
                return error_say(err, -EIO, "crun says no pid of %s", id);
        ret_pid[n] = '\0';
        ret_pid[strcspn(ret_pid, "\n")] = '\0';
        return 0;
}

int container_exec(const char *id, Error *err) {
        const char *argv[] = { "crun", "exec", id, BUSYBOX, "true", NULL };

        return spawn_wait(argv, err);
}

int container_enter(const char *pid, Error *err) {
        const char *argv[] = { "nsenter", "-t", pid,     "-m",   "-u", "-i",
                               "-n",      "-p", BUSYBOX, "true", NULL };

        return spawn_wait(argv, err);
}

int container_stop(const char *id, Error *err) {
        const char *argv[] = { "crun", "delete", "-f", id, NULL };

        return spawn_wait(argv, err);
}

/*
 * files: see files.h. What opens a setting of the kernel for writing writes nothing: that it opens is enough.
 */
#include "cli/probe/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/owned.h"

#define OVERLAY_MAGIC 0x794c7630
#define HANDLE_BYTES  128

/* A file beside nothing of the host's: in a jail, /usr of an imported root is the jail's own layer */
static void write_beside(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        char path[128];
        struct statfs fs;
        int fd;

        (void) facts;
        (void) snprintf(path, sizeof(path), "%s/.warder-probe-%d", probe->path, (int) getpid());
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) {
                finding_refused(ret, probe->wall, errno);
                return;
        }
        (void) unlink(path);
        if (fstatfs(fd, &fs) == 0 && (unsigned long) fs.f_type == OVERLAY_MAGIC)
                finding_held(ret, WALL_MOUNT, 0, "it lands in the jail's own layer");
        else
                finding_through(ret, "a file could be made");
        (void) close(fd);
}

/* Numbers of devices are the kernel's: a node made here opens that very device */
static void make_node(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        char path[64];
        mode_t kind = (mode_t) probe->args[0];

        (void) facts;
        (void) snprintf(path, sizeof(path), "/tmp/.warder-node-%d", (int) getpid());
        if (mknod(path, kind | 0600, makedev(probe->args[1], probe->args[2])) < 0) {
                finding_refused(ret, probe->wall, errno);
                return;
        }
        (void) unlink(path);
        finding_through(ret, "the node could be made");
}

/* The same mode or owner again: changes nothing where it is allowed */
static void change_device(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct stat st;
        int r;

        (void) facts;
        if (stat(probe->path, &st) < 0) {
                finding_refused(ret, WALL_NONE, errno);
                return;
        }
        r = probe->flags ? chown(probe->path, st.st_uid, st.st_gid)
                         : chmod(probe->path, st.st_mode & 07777);
        if (r < 0)
                finding_refused(ret, probe->wall, errno);
        else
                finding_through(ret, "the kernel accepted it");
}

static void remove_device(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        (void) facts;
        if (faccessat(AT_FDCWD, probe->path, W_OK, AT_EACCESS) < 0)
                finding_refused(ret, probe->wall, errno);
        else
                finding_through(ret, "its directory is writable");
}

/*
 * The value is one that the kernel would take for a capability. The name must be that of a real attribute:
 * where the kernel has BPF among its security modules (Debian 12), it asks no capability for the others of
 * security.*, inside or outside a jail; they mean nothing there.
 */
static void set_attribute(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        const struct vfs_cap_data value = {
                .magic_etc = VFS_CAP_REVISION_2,
                .data = { { .permitted = 1u << CAP_NET_RAW } },
        };
        char path[64];
        int fd, r, error;

        (void) facts;
        (void) snprintf(path, sizeof(path), "%s/.warder-attr-%d",
                        access("/work", W_OK) == 0 ? "/work" : "/tmp", (int) getpid());
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) {
                finding_not_tried(ret, "no file could be made to try it on");
                return;
        }
        r = fsetxattr(fd, probe->path, &value, sizeof(value), 0);
        error = errno;
        (void) unlink(path);
        (void) close(fd);
        if (r < 0)
                finding_refused(ret, probe->wall, error == EINVAL ? EOPNOTSUPP : error);
        else
                finding_through(ret, "the attribute could be set");
}

/* By the number of the root directory, as a process could that guesses numbers of files */
static void open_handle(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        autoclose int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        autofree struct file_handle *handle = calloc(1, sizeof(*handle) + HANDLE_BYTES);
        int mount_id, fd;

        (void) facts;
        if (!handle)
                return;
        handle->handle_bytes = HANDLE_BYTES;
        if (name_to_handle_at(AT_FDCWD, probe->path, handle, &mount_id, 0) < 0) {
                finding_refused(ret, WALL_FILTER, errno);
                return;
        }
        fd = open_by_handle_at(root, handle, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                finding_refused(ret, WALL_CAPABILITY, errno);
        else
                finding_through(ret, "it could be opened");
}

/* Options of a line of mountinfo: "ID PARENT DEV ROOT POINT OPTIONS …" */
static bool lacks_flag(const char *line, const char *flag, char *point, size_t n) {
        char where[256], options[256];

        if (sscanf(line, "%*s %*s %*s %*s %255s %255s", where, options) != 2)
                return false;
        (void) snprintf(point, n, "%.80s", where);
        return !strstr(options, flag);
}

/* Devices work below /dev, and the nodes there are the jail's own; one of them may cover another file */
static bool may_have_nodes(const char *point) {
        struct stat st;

        return strncmp(point, "/dev", 4) == 0 || (stat(point, &st) == 0 && S_ISCHR(st.st_mode));
}

static void find_mount_without(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        bool is_nodev = strcmp(probe->path, "nodev") == 0;
        char line[1024], point[FINDING_TEXT_MAX];
        FILE *file = fopen("/proc/self/mountinfo", "re");
        unsigned n = 0;

        (void) facts;
        finding_held(ret, WALL_MOUNT, 0, "all mounts have the flag");
        for (; file && fgets(line, sizeof(line), file); n++) {
                if (!lacks_flag(line, probe->path, point, sizeof(point)))
                        continue;
                if (!is_nodev || !may_have_nodes(point))
                        finding_through(ret, point);
        }
        if (n == 0)
                finding_not_tried(ret, "/proc/self/mountinfo lists no mount");
        if (file)
                (void) fclose(file);
}

/* Addresses of the kernel, as opposed to zeros */
static void find_addresses(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        autoclose int fd = open(probe->path, O_RDONLY | O_CLOEXEC);
        char text[17] = { 0 };

        (void) facts;
        if (fd < 0)
                finding_refused(ret, WALL_NONE, errno);
        else if (read(fd, text, 16) < 16 || strspn(text, "0") == 16)
                finding_held(ret, WALL_CAPABILITY, 0, "only zeros");
        else
                finding_through(ret, "addresses of the kernel");
}

#define OPEN(NAME, PATH, FLAGS, TRIED) \
        { .name = NAME, .tried = TRIED, .run = probe_open, .path = PATH, .flags = FLAGS }
#define READ(NAME, PATH, TRIED) \
        { .name = NAME, .tried = TRIED, .run = probe_read, .path = PATH, .flags = O_RDONLY }
#define LINK(NAME, PATH, TRIED) \
        { .name = NAME, .tried = TRIED, .run = probe_link, .path = PATH }
#define SETTING(NAME, PATH) \
        { .name = NAME, .tried = "write " PATH, .run = probe_open, .path = PATH, .flags = O_WRONLY }

const Probe file_probes[] = {
        LINK("init-root", "/proc/1/root", "the root of process 1"),
        LINK("init-cwd", "/proc/1/cwd", "the directory of process 1"),
        LINK("init-exe", "/proc/1/exe", "the program of process 1"),
        LINK("init-ns", "/proc/1/ns/mnt", "the namespaces of process 1"),
        READ("init-environ", "/proc/1/environ", "the environment of process 1"),
        READ("init-maps", "/proc/1/maps", "the memory map of process 1"),
        READ("init-auxv", "/proc/1/auxv", "addresses of process 1"),
        READ("init-fds", "/proc/1/fd", "the descriptors of process 1"),
        READ("init-stack", "/proc/1/stack", "the kernel's stack of process 1"),
        OPEN("init-mem", "/proc/1/mem", O_RDWR, "the memory of process 1"),
        OPEN("init-oom", "/proc/1/oom_score_adj", O_WRONLY, "when process 1 is killed for memory"),
        OPEN("init-uid-map", "/proc/1/uid_map", O_WRONLY, "the id map of process 1"),
        SETTING("core-pattern", "/proc/sys/kernel/core_pattern"),
        SETTING("modprobe-path", "/proc/sys/kernel/modprobe"),
        SETTING("hotplug-path", "/sys/kernel/uevent_helper"),
        SETTING("panic-setting", "/proc/sys/kernel/panic"),
        SETTING("hostname-setting", "/proc/sys/kernel/hostname"),
        SETTING("drop-caches", "/proc/sys/vm/drop_caches"),
        SETTING("overcommit", "/proc/sys/vm/overcommit_memory"),
        SETTING("ip-forward", "/proc/sys/net/ipv4/ip_forward"),
        SETTING("protected-links", "/proc/sys/fs/protected_symlinks"),
        SETTING("binfmt", "/proc/sys/fs/binfmt_misc/register"),
        SETTING("sysrq", "/proc/sysrq-trigger"),
        SETTING("power-state", "/sys/power/state"),
        SETTING("max-user-ns", "/proc/sys/user/max_user_namespaces"),
        READ("kcore", "/proc/kcore", "the kernel's memory (/proc/kcore)"),
        OPEN("kmsg", "/proc/kmsg", O_RDONLY, "the kernel's log (/proc/kmsg)"),
        READ("keys", "/proc/keys", "keys of others (/proc/keys)"),
        READ("timer-list", "/proc/timer_list", "timers of all processes"),
        READ("latency", "/proc/latency_stats", "what the kernel waits for"),
        READ("page-counts", "/proc/kpagecount", "which pages are shared"),
        READ("slabs", "/proc/slabinfo", "the kernel's caches"),
        READ("interrupts", "/proc/interrupts", "the host's interrupts (keystroke timing)"),
        READ("scsi", "/proc/scsi", "the host's disks"),
        READ("efivars", "/sys/firmware/efi/efivars", "the firmware's variables"),
        READ("debugfs", "/sys/kernel/debug", "the kernel's debugging files"),
        READ("tracefs", "/sys/kernel/tracing", "the kernel's tracing files"),
        READ("cgroups", "/sys/fs/cgroup", "the control groups"),
        READ("interfaces", "/sys/class/net", "the host's network interfaces"),
        OPEN("cgroup-join", "/sys/fs/cgroup/cgroup.procs", O_WRONLY, "join another control group"),
        OPEN("cgroup-join-v1", "/sys/fs/cgroup/memory/cgroup.procs", O_WRONLY,
             "join another memory group"),
        { .name = "kallsyms",
          .tried = "addresses of the kernel's functions",
          .run = find_addresses,
          .path = "/proc/kallsyms" },
        OPEN("dev-mem", "/dev/mem", O_RDONLY, "the machine's memory"),
        OPEN("dev-kmsg", "/dev/kmsg", O_RDONLY, "the kernel's log (/dev/kmsg)"),
        OPEN("dev-port", "/dev/port", O_RDWR, "the machine's ports"),
        OPEN("dev-kvm", "/dev/kvm", O_RDWR, "virtual machines"),
        OPEN("dev-fuse", "/dev/fuse", O_RDWR, "file systems of its own"),
        OPEN("dev-tun", "/dev/net/tun", O_RDWR, "network interfaces of its own"),
        OPEN("dev-loop", "/dev/loop-control", O_RDWR, "block devices of its own"),
        OPEN("dev-disk", "/dev/vda", O_RDONLY, "the host's first virtual disk"),
        OPEN("dev-console", "/dev/console", O_RDWR, "the host's console"),
        OPEN("dev-uinput", "/dev/uinput", O_RDWR, "keyboards of its own"),
        { .name = "node-mem",
          .tried = "a node for the machine's memory",
          .run = make_node,
          .args = { S_IFCHR, 1, 1 } },
        { .name = "node-null",
          .tried = "a node for /dev/null",
          .run = make_node,
          .args = { S_IFCHR, 1, 3 } },
        { .name = "node-disk",
          .tried = "a node for a disk",
          .run = make_node,
          .args = { S_IFBLK, 8, 0 } },
        { .name = "chmod-null",
          .tried = "the mode of /dev/null",
          .run = change_device,
          .path = "/dev/null",
          .wall = WALL_IDS },
        { .name = "chown-null",
          .tried = "the owner of /dev/null",
          .run = change_device,
          .path = "/dev/null",
          .flags = 1,
          .wall = WALL_IDS },
        { .name = "remove-null",
          .tried = "remove /dev/null",
          .run = remove_device,
          .path = "/dev",
          .wall = WALL_IDS },
        { .name = "write-usr", .tried = "a file in /usr", .run = write_beside, .path = "/usr" },
        { .name = "write-lib",
          .tried = "a file in /usr/lib",
          .run = write_beside,
          .path = "/usr/lib" },
        { .name = "write-etc", .tried = "a file in /etc", .run = write_beside, .path = "/etc" },
        { .name = "write-proc", .tried = "a file in /", .run = write_beside, .path = "/" },
        READ("shadow", "/etc/shadow", "the host's passwords"),
        READ("host-root-home", "/root", "the files of the host's root"),
        READ("host-supervisor", "/run/warder", "the supervisor's sockets"),
        READ("host-state", "/var/lib/warder", "the supervisor's state"),
        { .name = "attr-overlay",
          .tried = "an attribute of overlays (trusted.)",
          .run = set_attribute,
          .path = "trusted.overlay.opaque" },
        { .name = "attr-security",
          .tried = "a capability in a file",
          .run = set_attribute,
          .path = XATTR_NAME_CAPS },
        { .name = "file-handle",
          .tried = "open a file by its number",
          .run = open_handle,
          .path = "/" },
        { .name = "mount-nosuid",
          .tried = "a mount where set-id bits count",
          .run = find_mount_without,
          .path = "nosuid" },
        { .name = "mount-nodev",
          .tried = "a mount where device nodes work",
          .run = find_mount_without,
          .path = "nodev" },
        { 0 },
};

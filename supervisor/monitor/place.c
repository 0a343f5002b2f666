/*
 * place: see place.h. The lock lies on the state directory itself, which is never removed: nothing is left
 * to clean up after a kill, and no lock of a removed file can be held by two.
 */
#include "supervisor/monitor/place.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "base/audit-socket.h"
#include "base/fds.h"
#include "base/id-pool.h"
#include "base/log.h"
#include "sandbox/own-dir.h"

#define SOCKET_NAME          "warder.sock"
#define LISTEN_QUEUE         128
#define LOCK_WAIT_ALIVE_SEC  1
#define LOCK_WAIT_ENDING_SEC 20 /* longer than a drain may take */

static int make_socket(Monitor *monitor, Error *err) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        bool group = !monitor->config->private_call && monitor->warder_gid != UINT32_MAX;
        int n = snprintf(address.sun_path, sizeof address.sun_path, "%s/%s",
                         monitor->config->run_dir, SOCKET_NAME);

        if (fd < 0 || n < 0 || (size_t) n >= sizeof address.sun_path)
                return error_set(err, fd < 0 ? -errno : -ENAMETOOLONG, "make the socket in %s",
                                 monitor->config->run_dir);
        (void) unlinkat(monitor->run_fd, SOCKET_NAME, 0); /* a dead one's: we hold the lock */
        if (bind(fd, (const struct sockaddr *) &address, sizeof address) < 0 ||
            (group && fchownat(monitor->run_fd, SOCKET_NAME, 0, monitor->warder_gid, 0) < 0) ||
            fchmodat(monitor->run_fd, SOCKET_NAME, group ? 0660 : 0600, 0) < 0 ||
            listen(fd, LISTEN_QUEUE) < 0)
                return error_set(err, -errno, "listen on %s", address.sun_path);
        monitor->made_socket = true;
        monitor->listen_fd = TAKE_FD(fd);
        return 0;
}

static int take_socket(Monitor *monitor, int fd, Error *err) {
        if (sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) <= 0)
                return error_say(err, -EINVAL, "descriptor %d is no listening Unix stream socket",
                                 fd);
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return error_set(err, -errno, "take the listening socket");
        monitor->listen_fd = fd;
        return 0;
}

static void on_alarm(int signal) {
        (void) signal;
}

/*
 * One that is ending has taken its socket away and is waited for; one that was killed has children that
 * hold the lock for a moment more; one that is alive keeps it.
 */
static int lock_state(const Monitor *monitor, Error *err) {
        const struct sigaction wake = { .sa_handler = on_alarm }; /* flock gives EINTR */
        const MonitorConfig *config = monitor->config;
        autofree char *path = NULL;
        int r;

        if (asprintf(&path, "%s/%s", config->run_dir, SOCKET_NAME) < 0 ||
            sigaction(SIGALRM, &wake, NULL) < 0)
                return error_set(err, -ENOMEM, "lock %s", config->state_dir);
        (void) alarm(access(path, F_OK) == 0 ? LOCK_WAIT_ALIVE_SEC : LOCK_WAIT_ENDING_SEC);
        r = flock(monitor->state_fd, LOCK_EX);
        (void) alarm(0);
        return r == 0 ? 0
                      : error_say(err, -EBUSY,
                                  "%s is in use by another supervisor: join that one, or give this "
                                  "one an --instance of its own",
                                  config->state_dir);
}

/* What systemd passes is known by what it is. Returns: negative where it passed no such socket. */
static int given_socket(const MonitorConfig *config, int family, int type, int listens) {
        int n = config->private_call ? 0 : sd_listen_fds(0);

        for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + n; fd++)
                if (sd_is_socket(fd, family, type, listens) > 0)
                        return fd;
        return -EBADF;
}

int place_audit(const MonitorConfig *config) {
        Error err = ERROR_EMPTY;
        int given = given_socket(config, AF_NETLINK, SOCK_RAW, -1);
        int r = given < 0 ? audit_socket_open(&err) : audit_socket_choose(given, &err);

        if (r < 0)
                log_event(LOG_WARNING, "no cause will be seccomp", F_ERR(&err));
        return r < 0 || given < 0 ? r : given;
}

int place_init(Monitor *monitor, Error *err) {
        const MonitorConfig *config = monitor->config;
        int given = given_socket(config, AF_UNIX, SOCK_STREAM, 1);
        int r;

        r = own_dir_parent(config->state_dir, err);
        if (r == 0) /* the front's id must be able to pass */
                r = monitor->state_fd =
                        own_dir(AT_FDCWD, config->state_dir, 0711, OWN_DIR_READ, err);
        if (r >= 0)
                r = lock_state(monitor, err);
        if (r == 0)
                r = own_dir_parent(ID_CLAIMS_DIR, err);
        if (r == 0)
                r = monitor->ids_fd = own_dir(AT_FDCWD, ID_CLAIMS_DIR, 0700, OWN_DIR_READ, err);
        if (r >= 0)
                r = own_dir_parent(config->run_dir, err);
        if (r == 0)
                r = monitor->run_fd =
                        own_dir(AT_FDCWD, config->run_dir, config->private_call ? 0700 : 0755,
                                OWN_DIR_READ, err);
        if (r < 0)
                return r;
        if (config->listen_fd != UINT64_MAX)
                return take_socket(monitor, (int) config->listen_fd, err);
        return given >= 0 ? take_socket(monitor, given, err) : make_socket(monitor, err);
}

/* The front's id can be another one than last time, where other supervisors had claimed its range first. */
int place_front_state(const Monitor *monitor, Error *err) {
        autoclose int fd = -EBADF;
        struct stat st;
        int r = 0;

        if (mkdirat(monitor->state_fd, "front", 0700) < 0 && errno != EEXIST)
                return error_set(err, -errno, "make the front's state");
        fd = openat(monitor->state_fd, "front", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(err, -errno, "open the front's state");
        if (st.st_uid != monitor->front_id || st.st_gid != monitor->front_gid)
                r = own_dir_give(fd, monitor->front_id, monitor->front_gid, err);
        return r < 0 ? r : TAKE_FD(fd);
}

/* For the notary alone, which is the front before it has read anything (supervisor/front/gate/notary.h). */
int place_file(const Monitor *monitor, const char *name, int flags, mode_t mode, Error *err) {
        autoclose int fd =
                openat(monitor->state_fd, name, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);

        return fd < 0 || fchmod(fd, mode) < 0 ? error_set(err, -errno, "open %s", name)
                                              : TAKE_FD(fd);
}

void place_close(Monitor *monitor) {
        if (!monitor->made_socket)
                return;
        (void) unlinkat(monitor->run_fd, SOCKET_NAME, 0);
        if (monitor->config->private_call)
                (void) rmdir(monitor->config->run_dir);
        monitor->made_socket = false;
}

void place_deinit(Monitor *monitor) {
        place_close(monitor);
        fds_close(
                (int[]){ monitor->listen_fd, monitor->run_fd, monitor->state_fd, monitor->ids_fd },
                4);
        monitor->listen_fd = monitor->run_fd = monitor->state_fd = monitor->ids_fd = -EBADF;
}

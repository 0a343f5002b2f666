/*
 * probe: what most rows share. Which wall answered is told by the errno and, for calls, by a second call
 * that is so wrong that the kernel finds another fault before it looks at rights: where both get the same
 * answer, it came from a filter.
 */
#include "cli/probe/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/owned.h"

static void set(Finding *ret, Outcome outcome, Wall wall, int error) {
        *ret = (Finding){ .outcome = outcome, .wall = wall, .error = error };
}

static void set_text(Finding *ret, const char *text) {
        (void) snprintf(ret->text, sizeof(ret->text), "%s", text ? text : "");
}

void finding_held(Finding *ret, Wall wall, int error, const char *text) {
        set(ret, OUTCOME_HELD, wall, error);
        set_text(ret, text);
}

void finding_through(Finding *ret, const char *text) {
        set(ret, OUTCOME_THROUGH, WALL_NONE, 0);
        set_text(ret, text);
}

void finding_not_tried(Finding *ret, const char *text) {
        set(ret, OUTCOME_NOT_TRIED, WALL_NONE, 0);
        set_text(ret, text);
}

static const struct {
        int error;
        Wall wall;
} refusals[] = {
        { EPERM, WALL_CAPABILITY },       { EACCES, WALL_IDS },
        { ENOSYS, WALL_FILTER },          { EAFNOSUPPORT, WALL_FILTER },
        { ENOPROTOOPT, WALL_FILTER },     { EROFS, WALL_MOUNT },
        { ESRCH, WALL_NAMESPACE },        { ENETUNREACH, WALL_NAMESPACE },
        { ECONNREFUSED, WALL_NAMESPACE }, { EHOSTUNREACH, WALL_NAMESPACE },
        { ENOENT, WALL_ABSENT },          { ENODEV, WALL_ABSENT },
        { ENXIO, WALL_ABSENT },           { EOPNOTSUPP, WALL_ABSENT },
        { EPROTONOSUPPORT, WALL_ABSENT }, { ESOCKTNOSUPPORT, WALL_ABSENT },
        { ENOTDIR, WALL_ABSENT },         { EADDRNOTAVAIL, WALL_NAMESPACE },
};

static Wall wall_of(int error) {
        for (unsigned i = 0; i < ELEMENTS(refusals); i++)
                if (refusals[i].error == error)
                        return refusals[i].wall;
        return WALL_NONE;
}

bool probe_is_refusal(int error) {
        return wall_of(error) != WALL_NONE;
}

void finding_refused(Finding *ret, Wall wall, int error) {
        char text[FINDING_TEXT_MAX];

        if (!probe_is_refusal(error)) {
                (void) snprintf(text, sizeof(text), "the kernel answered %s",
                                strerrorname_np(error));
                finding_not_tried(ret, text);
                return;
        }
        if (wall == WALL_NONE || (error != EPERM && error != EACCES))
                wall = wall_of(error);
        finding_held(ret, wall, error, NULL);
}

static long call(long number, const uint64_t *a) {
        long r = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);

        if (r == 0 && number == SYS_clone)
                _exit(0); /* the new process, if there is one: it has shown what it should */
        return r;
}

/* A filter looks at no pointer and at few arguments: it gives the wrong call the same answer */
static void refused(const Probe *probe, int error, Finding *ret) {
        static const uint64_t none[6];

        finding_refused(ret, probe->wall, error);
        if (ret->outcome != OUTCOME_HELD || memcmp(probe->odd, none, sizeof(none)) == 0)
                return;
        if (call(probe->number, probe->odd) < 0 && errno == error)
                ret->wall = WALL_FILTER;
        else if (ret->wall == WALL_FILTER)
                ret->wall = WALL_ABSENT;
}

void probe_call(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        long r = call(probe->number, probe->args);
        int error = errno;

        (void) facts;
        if (r >= 0)
                finding_through(ret, "the call succeeded");
        else
                refused(probe, error, ret);
}

void probe_reach(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        long r = call(probe->number, probe->args);
        int error = errno;
        char text[FINDING_TEXT_MAX];

        (void) facts;
        if (r < 0 &&
            (error == EPERM || error == EACCES || error == ENOSYS || error == ENOPROTOOPT)) {
                refused(probe, error, ret);
                return;
        }
        (void) snprintf(text, sizeof(text), "the kernel went on to the arguments: %s",
                        r < 0 ? strerrorname_np(error) : "success");
        finding_through(ret, text);
}

/* A file that was covered by /dev/null, or by an empty directory, opens and gives nothing */
static bool is_null(int fd) {
        struct stat st;

        return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

static int open_row(const Probe *probe, Finding *ret) {
        int fd = open(probe->path, probe->flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0) {
                finding_refused(ret, probe->wall, errno);
                return fd;
        }
        if (!is_null(fd))
                return fd;
        finding_held(ret, WALL_MOUNT, 0, "covered by /dev/null");
        (void) close(fd);
        return -1;
}

void probe_open(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        autoclose int fd = open_row(probe, ret);

        (void) facts;
        if (fd >= 0)
                finding_through(ret, "it could be opened");
}

/* Returns: has the directory an entry, or the file a byte */
static bool has_content(int fd) {
        struct stat st;
        DIR *dir;
        char byte;
        unsigned n = 0;

        if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
                return read(fd, &byte, 1) == 1;
        dir = fdopendir(dup(fd));
        while (dir && readdir(dir))
                n++;
        if (dir)
                (void) closedir(dir);
        return n > 2;
}

void probe_read(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        autoclose int fd = open_row(probe, ret);

        (void) facts;
        if (fd < 0)
                return;
        if (has_content(fd))
                finding_through(ret, "it could be read");
        else
                finding_held(ret, WALL_MOUNT, 0, "it is empty");
}

void probe_link(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        char target[FINDING_TEXT_MAX];
        ssize_t n = readlink(probe->path, target, sizeof(target) - 1);

        (void) facts;
        if (n < 0) {
                finding_refused(ret, probe->wall, errno);
                return;
        }
        finding_through(ret, "the link could be read");
}

/*
 * host-places: what is a place of the host's, by whatever name it is reached.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/host-places.h"
#include "tests/tap.h"

static int state;

static int check(const char *path, Error *err) {
        autoclose int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return host_places_check(dir, state, 12345, err);
}

static void test_places(void) {
        static const char *const refused[] = {
                "/",    "/etc", "/usr", "/bin", "/proc",    "/sys",
                "/dev", "/run", "/var", "/lib", "/usr/../", "/boot"
        };

        for (unsigned i = 0; i < ELEMENTS(refused); i++) {
                Error err = ERROR_EMPTY;

                if (access(refused[i], F_OK) == 0)
                        ok(check(refused[i], &err) == -EPERM && err.text[0], "%s is refused",
                           refused[i]);
        }
}

static void test_state(const char *top) {
        char path[128];
        Error err = ERROR_EMPTY;

        is_number(check(top, &err), -EPERM, "what is above the state");
        has_text(err.text, "above the supervisor's state", "is said to be");
        (void) snprintf(path, sizeof(path), "%s/state", top);
        is_number(check(path, &err), -EPERM, "the state itself");
        (void) snprintf(path, sizeof(path), "%s/beside", top);
        is_number(check(path, &err), 0, "what lies beside it is no place");
        (void) snprintf(path, sizeof(path), "%s/state/below", top);
        is_number(check(path, &err), 0, "nor is what lies below");
}

/* The same directory by another name: a mount of our own, in a namespace of our own. */
static void test_bind(const char *top) {
        char path[128];
        Error err = ERROR_EMPTY;

        (void) snprintf(path, sizeof(path), "%s/beside", top);
        if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("/etc", path, NULL, MS_BIND, NULL) < 0) {
                tap_skip("a bind mount", "root and mount namespaces");
                return;
        }
        is_number(check(path, &err), -EPERM, "a bind mount of /etc is /etc");
        has_text(err.text, "the directory is /etc", "by name");
        (void) umount(path);
        is_number(mount("/", path, NULL, MS_BIND, NULL), 0, "one of the root");
        is_number(check(path, &err), -EPERM, "is the root");
        (void) umount(path);
}

int main(void) {
        char top[] = "/tmp/warder-places-XXXXXX", path[64], command[64];
        static const char *const names[] = { "state", "state/below", "beside" };

        if (!mkdtemp(top))
                return 1;
        for (unsigned i = 0; i < ELEMENTS(names); i++) {
                (void) snprintf(path, sizeof(path), "%s/%s", top, names[i]);
                (void) mkdir(path, 0700);
        }
        (void) snprintf(path, sizeof(path), "%s/state", top);
        state = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        test_places();
        test_state(top);
        test_bind(top);
        (void) snprintf(command, sizeof(command), "rm -rf %s", top);
        is_number(system(command), 0, "nothing is left");
        return tap_end();
}

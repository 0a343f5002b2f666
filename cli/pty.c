/*
 * pty: see pty.h.
 *
 * The slave is opened by TIOCGPTPEER, not by its name, which a mount namespace may show as another one's. A pair
 * of ours lies in the caller's devpts; the jail gets a descriptor, and finds no such name in its own.
 */
#include "cli/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/put.h"

/*
 * What makes a terminal send bytes by itself (reports of mouse, focus, colours and size, marks around a paste), and
 * what makes it hard to use, other codes for keys (kitty's and xterm's) too: switched off when the command has left it on. Nothing that would clear or move anything.
 */
#define CALM                                                                                       \
        "\033[?9l\033[?1000l\033[?1001l\033[?1002l\033[?1003l\033[?1004l\033[?1005l"               \
        "\033[?1006l\033[?1015l\033[?1016l\033[?2004l\033[?2031l\033[?2048l\033[=0u\033[>4m\033[?" \
        "1l"                                                                                       \
        "\033>\033[?25h\033[0m"

int pty_pair(int *ret_master, int *ret_slave, Error *err) {
        const int flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
        autoclose int master = posix_openpt(flags);
        int slave;

        if (master < 0)
                return error_set(err, -errno, "make a terminal for the command");
        if (grantpt(master) < 0 || unlockpt(master) < 0)
                return error_set(err, -errno, "unlock the terminal of the command");
        slave = ioctl(master, TIOCGPTPEER, flags);
        if (slave < 0)
                return error_set(err, -errno, "open the terminal of the command");
        *ret_master = TAKE_FD(master);
        *ret_slave = slave;
        return 0;
}

int pty_open(Pty *ret, Error *err) {
        Pty pty = PTY_EMPTY;
        int r;

        if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &pty.before) < 0)
                return error_say(err, -ENOTTY,
                                 "standard input is no terminal, so the command can have none: "
                                 "leave out --tty");
        pty.terminal = STDIN_FILENO;
        r = pty_pair(&pty.master, &pty.slave, err);
        if (r < 0)
                return r;
        (void) tcsetattr(pty.slave, TCSANOW, &pty.before);
        pty_resize(&pty);
        *ret = pty;
        return 0;
}

void pty_borrow(Pty *ret) {
        *ret = PTY_EMPTY;
        if (isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &ret->before) == 0)
                ret->terminal = STDIN_FILENO;
}

void pty_raw(Pty *pty) {
        struct termios raw = pty->before;

        if (pty->terminal < 0)
                return;
        cfmakeraw(&raw);
        pty->is_raw = tcsetattr(pty->terminal, TCSANOW, &raw) == 0;
}

static bool knows_sequences(int fd) {
        const char *term = getenv("TERM");

        return isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

/* One that does not control our session says no group, and stays as we leave it */
static bool is_anothers(int terminal) {
        pid_t group = tcgetpgrp(terminal);

        return group > 0 && group != getpgrp();
}

void pty_restore(Pty *pty) {
        if (!pty->is_raw || is_anothers(pty->terminal))
                return;
        if (knows_sequences(STDOUT_FILENO))
                (void) put_bytes(CALM, strlen(CALM));
        (void) tcsetattr(pty->terminal, TCSAFLUSH, &pty->before);
        pty->is_raw = false;
}

void pty_resize(const Pty *pty) {
        struct winsize size;

        if (pty->master >= 0 && ioctl(pty->terminal, TIOCGWINSZ, &size) == 0)
                (void) ioctl(pty->master, TIOCSWINSZ, &size);
}

void pty_deinit(Pty *pty) {
        pty_restore(pty);
        fds_close(&pty->master, 1);
        fds_close(&pty->slave, 1);
        *pty = PTY_EMPTY;
}

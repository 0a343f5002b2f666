/*
 * keys: see keys.h.
 */
#include "sandbox/init/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"

/* What the kernel does not take stays as it makes it */
static void set_up(int slave, const InitTerminal *begins) {
        struct termios modes;

        if (begins->rows || begins->columns)
                (void) keys_size(slave, begins->rows, begins->columns);
        if (!begins->has_modes || tcgetattr(slave, &modes) < 0)
                return;
        modes.c_iflag = begins->modes[0];
        modes.c_oflag = begins->modes[1];
        modes.c_cflag = begins->modes[2];
        modes.c_lflag = begins->modes[3];
        memcpy(modes.c_cc, begins->keys, sizeof(begins->keys));
        (void) tcsetattr(slave, TCSANOW, &modes);
}

int keys_terminal(const InitTerminal *begins, int *ret_slave) {
        autoclose int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        const int locked = 0;
        int slave;

        if (master < 0 || ioctl(master, TIOCSPTLCK, &locked) < 0)
                return -errno;
        slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0)
                return -errno;
        set_up(slave, begins);
        *ret_slave = slave;
        return TAKE_FD(master);
}

int keys_attach(Keys *keys) {
        int ends[2], r;

        if (!keys->bytes)
                keys->bytes = malloc(KEYS_BYTES);
        if (!keys->bytes)
                return -ENOMEM;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        r = fd_set_nonblock(ends[0], true);
        if (r < 0) {
                fds_close(ends, 2);
                return r;
        }
        fds_close(&keys->fd, 1);
        keys->fd = ends[0];
        return ends[1];
}

void keys_wait(const Keys *keys, int master, int *ret_fd, short *ret_events) {
        bool writes = keys->start < keys->end;

        *ret_fd = master < 0 ? -EBADF : writes ? master : keys->fd;
        *ret_events = writes ? POLLOUT : POLLIN;
}

void keys_step(Keys *keys, int master) {
        ssize_t n;

        if (keys->start < keys->end) {
                n = write(master, keys->bytes + keys->start, keys->end - keys->start);
                if (n > 0)
                        keys->start += (size_t) n;
                else if (n < 0 && errno != EAGAIN && errno != EINTR)
                        keys->start = keys->end; /* nobody will ever read it */
                return;
        }
        if (keys->fd < 0)
                return;
        n = read(keys->fd, keys->bytes, KEYS_BYTES);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                fds_close(&keys->fd, 1);
                return;
        }
        keys->start = 0;
        keys->end = (size_t) n;
}

int keys_size(int terminal, uint32_t rows, uint32_t columns) {
        const struct winsize size = { .ws_row = (unsigned short) rows,
                                      .ws_col = (unsigned short) columns };

        if (rows > UINT16_MAX || columns > UINT16_MAX)
                return -EINVAL;
        return ioctl(terminal, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

void keys_end(Keys *keys) {
        fds_close(&keys->fd, 1);
        free(keys->bytes);
        *keys = KEYS_EMPTY;
}

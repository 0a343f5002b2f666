/*
 * screen: see screen.h. The sequences are those of ECMA-48 and xterm: alternate screen 1049, cursor 25, autowrap 7,
 * and 2026 (synchronized output), which a terminal that does not know it ignores.
 */
#include "cli/screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fds.h"
#include "base/owned.h"

#define FRAME_MAX  (4u << 20)
#define ENTER      "\033[?1049h\033[?25l\033[?7l"
#define LEAVE      "\033[0m\033[?7h\033[?25h\033[?1049l"
#define FRAME      "\033[?2026h"
#define FRAME_END  "\033[?2026l"
#define END_LINE   "\033[0m\033[K"
#define END_SCREEN "\033[J"

bool screen_is_possible(int fd) {
        const char *term = getenv("TERM");

        return isatty(fd) && term && *term && strcmp(term, "dumb") != 0 &&
               tcgetpgrp(fd) == getpgrp();
}

bool screen_is_utf8(void) {
        static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                const char *value = getenv(names[i]);

                if (value && *value)
                        return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
        }
        return false;
}

void screen_size(int fd, unsigned *ret_width, unsigned *ret_height) {
        struct winsize size = { 0 };
        bool known = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;

        *ret_width = known ? size.ws_col : 80;
        *ret_height = known ? size.ws_row : 24;
}

/* Keys that are typed meanwhile would be shown in the middle of a line; Ctrl-C and Ctrl-Z still work */
static void hide_keys(Screen *screen) {
        struct termios now;

        if (tcgetattr(screen->fd, &screen->before) < 0)
                return;
        now = screen->before;
        now.c_lflag &= (tcflag_t) ~(ECHO | ICANON);
        screen->quiet = tcsetattr(screen->fd, TCSANOW, &now) == 0;
}

void screen_enter(Screen *screen, int fd) {
        screen->fd = fd;
        hide_keys(screen);
        screen_forget(screen);
        (void) fd_write_all(fd, ENTER, strlen(ENTER));
}

void screen_forget(Screen *screen) {
        free(screen->drawn);
        screen->drawn = NULL;
}

static bool same_line(const char *one, size_t n, const char *other) {
        return other && strncmp(one, other, n) == 0 && (other[n] == '\n' || other[n] == '\0');
}

static const char *next_line(const char *text) {
        text += strcspn(text, "\n");
        return *text ? text + 1 : NULL;
}

/* The lines of @text that are not those of @old, each at its place */
static void add_changes(Buf *out, const char *text, const char *old) {
        unsigned row = 1;

        for (; text && *text; row++) {
                size_t n = strcspn(text, "\n");

                if (!same_line(text, n, old))
                        (void) buf_printf(out, "\033[%u;1H%.*s" END_LINE, row, (int) n, text);
                text = next_line(text);
                old = old ? next_line(old) : NULL;
        }
        if (!old || *old)
                (void) buf_printf(out, "\033[%u;1H" END_SCREEN, row);
}

void screen_draw(Screen *screen, const char *text) {
        Buf frame = BUF_EMPTY(FRAME_MAX);

        if (screen->fd < 0 || (screen->drawn && strcmp(screen->drawn, text) == 0))
                return;
        (void) buf_printf(&frame, FRAME);
        if (!screen->drawn)
                (void) buf_printf(&frame, "\033[H" END_SCREEN);
        add_changes(&frame, text, screen->drawn);
        (void) buf_printf(&frame, FRAME_END);
        if (frame.data)
                (void) fd_write_all(screen->fd, frame.data, frame.len);
        buf_deinit(&frame);
        screen_forget(screen);
        screen->drawn = strdup(text);
}

void screen_leave(Screen *screen) {
        if (screen->fd < 0)
                return;
        (void) fd_write_all(screen->fd, LEAVE, strlen(LEAVE));
        if (screen->quiet)
                (void) tcsetattr(screen->fd, TCSAFLUSH, &screen->before);
        screen_forget(screen);
        *screen = SCREEN_EMPTY;
}

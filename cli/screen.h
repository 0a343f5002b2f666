#pragma once
/*
 * screen: lines drawn in place on a terminal, on its second screen: what stood before is there again afterwards.
 * Only lines that changed are written, all in one write, and the terminal is told to show them at once: nothing
 * flickers. It is told to cut lines too, so that none can push another down.
 */
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

typedef struct Screen {
        int fd;                /* borrowed; -EBADF: not entered */
        char *drawn;           /* owned: what stands there; NULL: draw all */
        bool quiet;            /* keys are not shown while we draw */
        struct termios before; /* as it was, where quiet */
} Screen;

#define SCREEN_EMPTY ((Screen){ .fd = -EBADF })

/**
 * screen_is_possible() - can lines be drawn in place on @fd
 *
 * Not where it is no terminal or a dumb one, nor in the background, where drawing would disturb who has it.
 */
bool screen_is_possible(int fd);

/** screen_is_utf8() - do the locale's variables say UTF-8 */
bool screen_is_utf8(void);

/** screen_size() - columns and lines as they are now; 80 and 24 where the terminal does not say */
void screen_size(int fd, unsigned *ret_width, unsigned *ret_height);

/** screen_enter() - begin on @fd (borrowed) */
void screen_enter(Screen *screen, int fd);

/** screen_draw() - show @text, lines ended by '\n', from the top. A terminal that takes nothing more loses it */
void screen_draw(Screen *screen, const char *text);

/** screen_forget() - the next screen_draw() draws all: the terminal has another size, or was used by others */
void screen_forget(Screen *screen);

/** screen_leave() - everything as it was before; nothing where it was not entered */
void screen_leave(Screen *screen);

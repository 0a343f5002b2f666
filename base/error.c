/*
 * error: see error.h. Only functions that neither allocate nor lock are used here, because a jail's
 * child calls them between clone and exec.
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STEP_MIN 8 /* an outer step cut shorter than this says nothing */

static void append_errno(Error *err, size_t used) {
        const char *text = strerrordesc_np(-err->code);

        if (used >= sizeof(err->text))
                return;
        if (text)
                (void) snprintf(err->text + used, sizeof(err->text) - used, ": %s", text);
        else
                (void) snprintf(err->text + used, sizeof(err->text) - used, ": error %d",
                                err->code);
}

/* Writes the formatted text; returns the length that it has in err->text. */
static __attribute__((format(printf, 2, 0))) size_t write_text(Error *err, const char *format,
                                                               va_list args) {
        int n = vsnprintf(err->text, sizeof(err->text), format, args);

        if (n < 0)
                err->text[0] = 0;
        return strnlen(err->text, sizeof(err->text));
}

int error_set(Error *err, int code, const char *format, ...) {
        int saved = errno;
        va_list args;
        size_t n;

        if (!err)
                return code;
        err->code = code;
        err->mark = 0;
        va_start(args, format);
        n = write_text(err, format, args);
        va_end(args);
        append_errno(err, n);
        errno = saved;
        return code;
}

int error_say(Error *err, int code, const char *format, ...) {
        va_list args;

        if (!err)
                return code;
        err->code = code;
        err->mark = 0;
        va_start(args, format);
        (void) write_text(err, format, args);
        va_end(args);
        return code;
}

int error_add(Error *err, int code, const char *format, ...) {
        char step[ERROR_TEXT_MAX];
        size_t cause, room;
        va_list args;
        int n;

        if (!err)
                return code;
        err->code = code;
        va_start(args, format);
        n = vsnprintf(step, sizeof(step), format, args);
        va_end(args);
        cause = strnlen(err->text, sizeof(err->text) - 1);
        if (n < 0 || cause + 2 + STEP_MIN >= sizeof(err->text))
                return code;
        if (cause == 0) {
                memcpy(err->text, step, sizeof(step));
                return code;
        }
        /* The cause is what a reader needs most: where both do not fit, the step is cut. */
        room = sizeof(err->text) - 1 - cause - 2;
        n = (int) strnlen(step, room);
        memmove(err->text + n + 2, err->text, cause);
        memcpy(err->text, step, (size_t) n);
        memcpy(err->text + n, ": ", 2);
        err->text[(size_t) n + 2 + cause] = 0;
        return code;
}

/* Error: what is kept when text is long, missing or put in front of other text. */
#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "tests/tap.h"

static void null_is_accepted(void) {
        is_number(error_set(NULL, -EPERM, "open %s", "x"), -EPERM,
                  "set with NULL returns the code");
        is_number(error_say(NULL, -EPERM, "no"), -EPERM, "say with NULL returns the code");
        is_number(error_add(NULL, -EPERM, "no"), -EPERM, "add with NULL returns the code");
}

static void long_text_is_cut(void) {
        Error err = ERROR_EMPTY;
        char text[2 * ERROR_TEXT_MAX];

        memset(text, 'a', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        (void) error_set(&err, -EIO, "%s", text);
        is_number(strlen(err.text), ERROR_TEXT_MAX - 1, "a long text fills the field and ends");
}

static void unknown_errno_has_a_number(void) {
        Error err = ERROR_EMPTY;

        (void) error_set(&err, -9999, "call");
        is_text(err.text, "call: error -9999", "an errno without a name shows its number");
}

static void cause_outlives_a_long_step(void) {
        Error err = ERROR_EMPTY;
        char step[2 * ERROR_TEXT_MAX];

        memset(step, 's', sizeof(step) - 1);
        step[sizeof(step) - 1] = 0;
        (void) error_set(&err, -EACCES, "open memory.max");
        (void) error_add(&err, -EACCES, "%s", step);
        has_text(err.text, ": open memory.max: Permission denied", "the cause is whole");
        is_number(strlen(err.text), ERROR_TEXT_MAX - 1, "the step fills the rest");
}

static void full_text_takes_no_step(void) {
        Error err = ERROR_EMPTY;
        char text[ERROR_TEXT_MAX];

        memset(text, 'c', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        (void) error_say(&err, -EIO, "%s", text);
        is_number(error_add(&err, -EINVAL, "outer"), -EINVAL, "the new code is returned");
        is_text(err.text, text, "the cause stays whole");
        is_number(err.code, -EINVAL, "the new code is kept");
}

static void steps_stand_in_order(void) {
        Error err = ERROR_EMPTY;

        errno = EBUSY;
        is_number(error_set(&err, -ENOENT, "open %s", "cpu.max"), -ENOENT, "set returns its code");
        is_number(errno, EBUSY, "errno is left alone");
        (void) error_add(&err, -ENOENT, "limit jail %s", "j-x");
        is_text(err.text, "limit jail j-x: open cpu.max: No such file or directory",
                "the outermost step first, the cause last");
}

static void add_to_nothing(void) {
        Error err = ERROR_EMPTY;

        (void) error_add(&err, -EINVAL, "only step");
        is_text(err.text, "only step", "a step without a cause stands alone");
}

int main(void) {
        null_is_accepted();
        long_text_is_cut();
        unknown_errno_has_a_number();
        cause_outlives_a_long_step();
        full_text_takes_no_step();
        steps_stand_in_order();
        add_to_nothing();
        return tap_end();
}

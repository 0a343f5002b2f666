/* Buf: the maximum holds, and the text is always terminated. */
#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "tests/tap.h"

static void maximum_holds(void) {
        autobuf Buf buf = BUF_EMPTY(4);

        is_number(buf_append(&buf, "12345", 5), -ENOBUFS, "five bytes do not fit in four");
        is_number(buf.len, 0, "nothing was added");
        is_number(buf_append(&buf, "1234", 4), 0, "four fit");
        is_number(buf_append(&buf, "", 0), 0, "nothing fits into a full one");
        is_number(buf_append(&buf, "5", 1), -ENOBUFS, "one more does not");
        is_number(buf_printf(&buf, "%d", 5), -ENOBUFS, "nor by printf");
        is_text(buf.data, "1234", "what is there is whole");
}

static void huge_length_is_refused(void) {
        autobuf Buf buf = BUF_EMPTY(100);

        (void) buf_append(&buf, "x", 1);
        is_number(buf_append(&buf, "y", SIZE_MAX), -ENOBUFS, "a length that would wrap is refused");
}

static void read_stops_at_the_maximum(void) {
        autobuf Buf buf = BUF_EMPTY(3);
        int ends[2];

        if (!ok(pipe(ends) == 0, "a pipe"))
                return;
        (void) fd_write_all(ends[1], "abcde", 5);
        is_number(buf_read(&buf, ends[0], 100), 3, "reads as much as fits");
        is_number(buf_read(&buf, ends[0], 100), -ENOBUFS, "then says that it is full");
        buf_drop(&buf, 2);
        is_text(buf.data, "c", "dropping leaves the rest, terminated");
        is_number(buf_read(&buf, ends[0], 1), 1, "then there is room again");
        is_text(buf.data, "cd", "behind what was left");
        (void) close(ends[1]);
        buf_drop(&buf, 2);
        is_number(buf_read(&buf, ends[0], 100), 1, "the last byte");
        is_number(buf_read(&buf, ends[0], 100), 0, "the end of input is 0");
        (void) close(ends[0]);
        is_number(buf_read(&buf, ends[0], 1), -EBADF, "a closed descriptor is an error");
}

static void growth_keeps_content(void) {
        autobuf Buf buf = BUF_EMPTY(100000);
        unsigned i;

        for (i = 0; i < 10000; i++)
                (void) buf_printf(&buf, "%u,", i % 10);
        is_number(buf.len, 20000, "ten thousand small appends");
        ok(strncmp(buf.data + 19996, "8,9,", 5) == 0, "the last ones are right");
        ok(buf.len < buf.cap, "there is room for the 0");
}

static void take_hands_over(void) {
        autobuf Buf buf = BUF_EMPTY(10);
        autofree char *empty = buf_take(&buf);
        autofree char *full = NULL;

        is_text(empty, "", "an empty one gives an empty text");
        (void) buf_append(&buf, "abc", 3);
        full = buf_take(&buf);
        is_text(full, "abc", "the bytes are handed over");
        is_number(buf.len, 0, "and the Buf is empty");
        is_number(buf.max, 10, "with its maximum");
}

int main(void) {
        maximum_holds();
        huge_length_is_refused();
        read_stops_at_the_maximum();
        growth_keeps_content();
        take_hands_over();
        return tap_end();
}

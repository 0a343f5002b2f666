/* spans: data and holes of a file, and a file of few blocks that has no hole. */
#include "base/spans.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/tap.h"

#define HUGE_AT (16 << 20)

static int file_of(off_t size) {
        int fd = memfd_create("spans", MFD_CLOEXEC);

        ok(fd >= 0 && ftruncate(fd, size) == 0, "a file");
        return fd;
}

static void a_hole_has_no_span(void) {
        autoclose int fd = file_of(HUGE_AT);
        Span span = { 7, 7 };

        ok(!span_next(fd, 0, HUGE_AT, &span), "one hole: there is none");
        is_number((long long) span.at, 7, "and nothing is written");
        ok(!span_next(fd, 0, 0, &span), "nor has an empty part");
}

static void holes_before_and_behind(void) {
        autoclose int fd = file_of(2 * HUGE_AT);
        Span span = { 0, 0 };

        ok(pwrite(fd, "x", 1, HUGE_AT) == 1, "a byte in the middle");
        if (!ok(span_next(fd, 0, 2 * HUGE_AT, &span), "is a span"))
                return;
        ok(span.at <= HUGE_AT && span.at > 0, "behind the first hole");
        ok(span.end > HUGE_AT && span.end < 2 * HUGE_AT, "before the second");
        ok(!span_next(fd, span.end, 2 * HUGE_AT, &span), "and the last one");
}

static void a_file_that_grew_is_cut(void) {
        autoclose int fd = file_of(0);
        Span span = { 0, 0 };

        ok(pwrite(fd, "abcdef", 6, 0) == 6, "six bytes");
        ok(span_next(fd, 0, 3, &span), "of which three count");
        is_number((long long) span.end, 3, "are a span of three");
        ok(!span_next(fd, 3, 3, &span), "with nothing behind it");
}

/* As where content is compressed: the kernel's own files have a size and no block at all */
static void few_blocks_are_no_hole(void) {
        autoclose int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
        Span span = { 0, 0 };
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0 || st.st_blocks > 0) {
                tap_skip("a file of few blocks", "a file of the kernel with a size and no block");
                return;
        }
        ok(span_next(fd, 0, (uint64_t) st.st_size, &span), "a file without blocks has data");
        is_number((long long) span.at, 0, "from its beginning");
        is_number((long long) span.end, st.st_size, "to its end");
}

static void what_cannot_seek_is_data(void) {
        int ends[2];
        Span span = { 0, 0 };

        if (!ok(pipe2(ends, O_CLOEXEC) == 0, "a pipe"))
                return;
        ok(span_next(ends[0], 0, 9, &span), "knows of no holes: it has a span");
        is_number((long long) span.end, 9, "of all that counts");
        (void) close(ends[0]);
        (void) close(ends[1]);
}

int main(void) {
        a_hole_has_no_span();
        holes_before_and_behind();
        a_file_that_grew_is_cut();
        few_blocks_are_no_hole();
        what_cannot_seek_is_data();
        return tap_end();
}

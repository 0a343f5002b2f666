/* record: what a hostile writer sends. */
#include "base/record.h"

#include <errno.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/tap.h"

static int next_of(RecordHead head, size_t n_data, Record *record) {
        autobuf Buf buf = BUF_EMPTY(65536);
        char data[20000] = { 0 };

        (void) buf_append(&buf, &head, sizeof(head));
        (void) buf_append(&buf, data, n_data);
        return record_next(&buf, record);
}

static void bad_heads(void) {
        Record record = { 0 };

        is_number(next_of((RecordHead){ .kind = 0 }, 0, &record), -EBADMSG, "kind 0");
        is_number(next_of((RecordHead){ .kind = _RECORD_KIND_MAX }, 0, &record), -EBADMSG,
                  "a kind that does not exist");
        is_number(next_of((RecordHead){ .kind = 1, .size = RECORD_DATA_MAX + 1 }, 10000, &record),
                  -EBADMSG, "more data than allowed");
        is_number(record.head.kind, 0, "no output then");
}

static void incomplete(void) {
        autobuf Buf buf = BUF_EMPTY(100);
        RecordHead head = { .kind = RECORD_NOTE, .size = 3 };
        Record record;

        is_number(record_next(&buf, &record), 0, "nothing yet");
        (void) buf_append(&buf, &head, sizeof(head) - 1);
        is_number(record_next(&buf, &record), 0, "a part of the head");
        (void) buf_append(&buf, (char *) &head + sizeof(head) - 1, 1);
        (void) buf_append(&buf, "ab", 2);
        is_number(record_next(&buf, &record), 0, "a part of the data");
        (void) buf_append(&buf, "cX", 2);
        is_number(record_next(&buf, &record), 1, "the whole");
        is_text(record.data, "abc", "its data, terminated");
        is_number(buf.len, 1, "the next one's bytes stay");
}

static void write_and_read(void) {
        autobuf Buf buf = BUF_EMPTY(65536);
        RecordHead head = { .kind = RECORD_TOTALS, .a = 5, .b = UINT64_MAX };
        char data[RECORD_DATA_MAX + 100];
        Record record;
        int ends[2];

        ok(pipe(ends) == 0, "a pipe");
        memset(data, 'd', sizeof(data));
        is_number(record_write(ends[1], &head, data, sizeof(data)), 0, "written");
        is_number(record_write(ends[1], &head, NULL, 0), 0, "and one without data");
        (void) close(ends[1]);
        while (buf_read(&buf, ends[0], 4096) > 0)
                ;
        is_number(record_next(&buf, &record), 1, "read");
        is_number(record.head.size, RECORD_DATA_MAX, "data above the maximum was cut");
        ok(record.head.b == UINT64_MAX, "numbers travel");
        is_number(record_next(&buf, &record), 1, "the second");
        is_number(record.head.size, 0, "is empty");
        is_number(record_next(&buf, &record), 0, "and the last");
        (void) close(ends[0]);
}

int main(void) {
        bad_heads();
        incomplete();
        write_and_read();
        return tap_end();
}

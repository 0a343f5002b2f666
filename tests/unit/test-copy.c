/* copy: a stream that means harm makes nothing but what lies in its place, and half a copy is none. */
#include "base/copy-receive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy-place.h"
#include "base/fds.h"
#include "base/owned.h"
#include "tests/tap.h"

static char directory[] = "/tmp/warder-test-copy-XXXXXX";

/* ---- streams --------------------------------------------------------------------------------------- */

typedef struct Stream {
        int fd;
} Stream;

static Stream begin(void) {
        return (Stream){ .fd = memfd_new("stream", false, NULL) };
}

static void add_bytes(const Stream *stream, CopyRecord record, const char *name, size_t n,
                      const char *bytes) {
        record.name = (uint32_t) n;
        (void) fd_write_all(stream->fd, &record, sizeof(record));
        (void) fd_write_all(stream->fd, name, n);
        if (bytes)
                (void) fd_write_all(stream->fd, bytes, record.bytes);
}

static void add(const Stream *stream, CopyRecord record, const char *name, const char *bytes) {
        add_bytes(stream, record, name, strlen(name), bytes);
}

#define DIR_RECORD  ((CopyRecord){ .kind = COPY_DIR })
#define FILE_RECORD ((CopyRecord){ .kind = COPY_FILE })
#define LINK_RECORD ((CopyRecord){ .kind = COPY_LINK, .bytes = 1 })
#define END_RECORD  ((CopyRecord){ .kind = COPY_END, .mode = 0755 })
#define DONE_RECORD ((CopyRecord){ .kind = COPY_DONE })

static int receive_max(Stream *stream, uint64_t max, uint64_t *ret_skipped, Error *err) {
        const CopyReceive how = { .from = stream->fd,
                                  .place = directory,
                                  .name = "got",
                                  .umask = 022,
                                  .max_bytes = max };
        int r;

        (void) lseek(stream->fd, 0, SEEK_SET);
        r = copy_receive(&how, ret_skipped, err);
        fds_close(&stream->fd, 1);
        return r;
}

static int receive(Stream *stream) {
        Error err = ERROR_EMPTY;
        uint64_t skipped;

        return receive_max(stream, 1 << 20, &skipped, &err);
}

static const char *below(const char *name) {
        static char path[256];

        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        return path;
}

/* How many entries the directory has */
static int entries(const char *path) {
        struct stat st;
        char text[300];
        int n = 0;
        FILE *list;

        if (lstat(path, &st) < 0)
                return -1;
        (void) snprintf(text, sizeof(text), "ls -A '%s' | wc -l", path);
        list = popen(text, "r");
        if (!list || fscanf(list, "%d", &n) != 1)
                n = -1;
        if (list)
                (void) pclose(list);
        return n;
}

static void clear(void) {
        char text[300];

        (void) snprintf(text, sizeof(text), "chmod -R u+rwx '%s'; rm -rf '%s'/* '%s'/.warder*",
                        directory, directory, directory);
        if (system(text) != 0)
                puts("# could not clear");
}

/* ---- ideas ----------------------------------------------------------------------------------------- */

static void names_that_lead_elsewhere_are_refused(void) {
        static const char longest[COPY_NAME_MAX + 1] = { [0 ... COPY_NAME_MAX] = 'a' };
        static const struct {
                const char *name;
                size_t n;
        } names[] = { { longest, sizeof(longest) },
                      { "..", 2 },
                      { ".", 1 },
                      { "a/b", 3 },
                      { "/etc", 4 },
                      { "../x", 4 },
                      { "a\0b", 3 },
                      { "", 0 },
                      { "/", 1 } };

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                Stream stream = begin();

                add(&stream, DIR_RECORD, "", NULL);
                add_bytes(&stream, FILE_RECORD, names[i].name, names[i].n, NULL);
                add(&stream, END_RECORD, "", NULL);
                add(&stream, END_RECORD, "", NULL);
                add(&stream, DONE_RECORD, "", NULL);
                ok(receive(&stream) == -EBADMSG, "name %zu is none", i);
                is_number(entries(directory), 0, "leaves nothing");
        }
}

static void a_link_is_never_written_through(void) {
        Stream stream = begin();

        add(&stream, DIR_RECORD, "", NULL);
        add(&stream, LINK_RECORD, "x", "/");
        add(&stream, DIR_RECORD, "x", NULL);
        add(&stream, END_RECORD, "", NULL);
        add(&stream, END_RECORD, "", NULL);
        add(&stream, DONE_RECORD, "", NULL);
        is_number(receive(&stream), -EEXIST, "a directory of the name of a link");
        stream = begin();
        add(&stream, DIR_RECORD, "", NULL);
        add(&stream, LINK_RECORD, "x", "/");
        add(&stream, FILE_RECORD, "x", NULL);
        is_number(receive(&stream), -EEXIST, "a file of the name of a link");
        is_number(entries(directory), 0, "nothing is left");
}

static void records_out_of_place_are_refused(void) {
        const CopyRecord data = { .kind = COPY_DATA, .bytes = 1 };
        const CopyRecord skipped = { .kind = COPY_SKIPPED, .code = -EACCES };
        const CopyRecord firsts[] = { data,
                                      END_RECORD,
                                      DONE_RECORD,
                                      skipped,
                                      { .kind = 0 },
                                      { .kind = 99 },
                                      { .kind = COPY_LINK },
                                      { .kind = COPY_LINK, .bytes = 5000 } };

        for (size_t i = 0; i < ELEMENTS(firsts); i++) {
                Stream stream = begin();

                add(&stream, firsts[i], "", "");
                (void) fd_write_all(stream.fd, "                ", 16);
                ok(receive(&stream) == -EBADMSG, "record %zu as the first one", i);
        }
        is_number(entries(directory), 0, "nothing is left");
}

static void content_goes_forward_only(void) {
        const CopyRecord later = { .kind = COPY_DATA, .bytes = 1, .at = 10 };
        const CopyRecord sooner = { .kind = COPY_DATA, .bytes = 1, .at = 5 };
        const CopyRecord far = { .kind = COPY_DATA, .bytes = 1, .at = UINT64_MAX };
        const CopyRecord big = { .kind = COPY_DATA, .bytes = COPY_CHUNK_MAX + 1 };
        const CopyRecord bad[] = { sooner,
                                   far,
                                   big,
                                   { .kind = COPY_END, .at = 3 },
                                   { .kind = COPY_END, .at = UINT64_MAX },
                                   { .kind = COPY_END, .at = 11, .code = INT32_MIN } };

        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                Stream stream = begin();

                add(&stream, FILE_RECORD, "", NULL);
                add(&stream, later, "", "x");
                add(&stream, bad[i], "", "x");
                ok(receive(&stream) == -EBADMSG, "content %zu", i);
        }
        is_number(entries(directory), 0, "nothing is left");
}

static void bounds_hold(void) {
        const CopyRecord data = { .kind = COPY_DATA, .bytes = 11 };
        Error err = ERROR_EMPTY;
        uint64_t skipped;
        Stream stream = begin();

        add(&stream, FILE_RECORD, "", NULL);
        add(&stream, data, "", "eleven byte");
        is_number(receive_max(&stream, 10, &skipped, &err), -EFBIG, "more bytes than may be");
        stream = begin();
        add(&stream, DIR_RECORD, "", NULL);
        for (unsigned i = 0; i < COPY_DEPTH_MAX + 5; i++)
                add(&stream, DIR_RECORD, "d", NULL);
        is_number(receive(&stream), -EBADMSG, "directories too deep");
        is_number(entries(directory), 0, "nothing is left");
}

static void half_a_copy_is_none(void) {
        const CopyRecord data = { .kind = COPY_DATA, .bytes = 4 };

        for (unsigned n = 0; n < 6; n++) {
                Stream stream = begin();

                if (n > 0)
                        add(&stream, DIR_RECORD, "", NULL);
                if (n > 1)
                        add(&stream, FILE_RECORD, "f", NULL);
                if (n > 2)
                        add(&stream, data, "", "abcd");
                if (n > 3)
                        add(&stream, (CopyRecord){ .kind = COPY_END, .at = 4 }, "", NULL);
                if (n > 4)
                        add(&stream, END_RECORD, "", NULL);
                ok(receive(&stream) == -ECONNABORTED, "the first %u records of a copy", n);
        }
        is_number(entries(directory), 0, "nothing is left");
}

static void a_whole_one_lands(void) {
        Error err = ERROR_EMPTY;
        uint64_t skipped = 0;
        Stream stream = begin();
        struct stat st = { 0 };

        add(&stream, DIR_RECORD, "", NULL);
        add(&stream, FILE_RECORD, "f", NULL);
        add(&stream, (CopyRecord){ .kind = COPY_DATA, .bytes = 1, .at = 9 }, "", "x");
        add(&stream, (CopyRecord){ .kind = COPY_END, .at = 100, .mode = 06777, .mtime = 1000 }, "",
            NULL);
        add(&stream, FILE_RECORD, "broken", NULL);
        add(&stream, (CopyRecord){ .kind = COPY_END, .code = -EIO }, "", NULL);
        add(&stream, (CopyRecord){ .kind = COPY_SKIPPED, .code = -EACCES }, "secret", NULL);
        add(&stream, (CopyRecord){ .kind = COPY_END, .mode = 0, .mtime = 2000 }, "", NULL);
        add(&stream, DONE_RECORD, "", NULL);
        is_number(receive_max(&stream, 100, &skipped, &err), 0, "a copy");
        is_number((long long) skipped, 2, "of which two entries are missing");
        is_number(stat(below("got"), &st), 0, "has its name");
        is_number(st.st_mtime, 2000, "its time");
        is_number(st.st_mode & 07777, 0, "its mode");
        (void) chmod(below("got"), 0700);
        is_number(entries(below("got")), 1, "one file");
        is_number(stat(below("got/f"), &st), 0, "by its name");
        is_number(st.st_size, 100, "with its hole");
        is_number(st.st_mode & 07777, 0755, "without set-id bits, and with umask");
        is_number(st.st_mtime, 1000, "and its time");
}

static void what_is_sent_arrives(void) {
        const CopyReceive how = { .from = memfd_new("stream", false, NULL),
                                  .place = directory,
                                  .name = "again",
                                  .max_bytes = 1 << 20 };
        Error err = ERROR_EMPTY;
        uint64_t skipped = 0;
        struct stat st = { 0 };

        is_number(copy_send(how.from, below("got"), NULL, NULL, &err), 0, "a tree is sent");
        (void) lseek(how.from, 0, SEEK_SET);
        is_number(copy_receive(&how, &skipped, &err), 0, "and received");
        is_number(stat(below("again/f"), &st), 0, "with its file");
        is_number(st.st_size, 100, "of the same size");
        (void) close(how.from);
}

static void places_are_found(void) {
        CopyPlace place = { .dir = -EBADF };
        Error err = ERROR_EMPTY;

        is_number(symlink("got", below("link")), 0, "a link to a directory");
        is_number(copy_place_open(&place, below("link"), "x", &err), -ELOOP, "no link is a place");
        is_number(copy_place_open(&place, below("got"), "", &err), -EISDIR,
                  "a directory needs a name");
        is_number(copy_place_open(&place, below("got"), "..", &err), -EISDIR, "and not that one");
        is_number(copy_place_open(&place, below("no/where"), "x", &err), -ENOENT,
                  "its directory is there");
        is_number(copy_place_open(&place, below("link/"), "x", &err), 0,
                  "a link with a slash is one");
        copy_place_deinit(&place);
}

int main(void) {
        if (!ok(mkdtemp(directory) != NULL, "a directory"))
                return tap_end();
        names_that_lead_elsewhere_are_refused();
        a_link_is_never_written_through();
        records_out_of_place_are_refused();
        content_goes_forward_only();
        bounds_hold();
        half_a_copy_is_none();
        a_whole_one_lands();
        what_is_sent_arrives();
        places_are_found();
        clear();
        is_number(rmdir(directory), 0, "nothing else was made");
        return tap_end();
}

/* image: see image.h. */
#include "sandbox/files/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/names.h"

static int cannot_open(int r, const char *path, Report *report, Error *err) {
        if (r == -ENOENT || r == -ENOTDIR)
                return report_refuse(report, RULE_NOT_THERE, path,
                                     "the image speaks of this file, and does not have it");
        if (r == -ELOOP)
                return report_refuse(report, RULE_THROUGH_LINK, path,
                                     "a file of an image may not be a link, or lie behind one");
        return error_set(err, r, "open a file of the image");
}

int image_blob_open(int tree, const char *path, Report *report, Error *err) {
        char clean[NAME_PATH_MAX];
        RecordRule rule = name_clean(path, strlen(path), clean);
        autoclose int fd = -EBADF;
        struct stat st;

        if (rule != RULE_NONE)
                return report_refuse(report, rule, path, "%s", name_sentence(rule));
        fd = beneath_open(tree, clean, O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0)
                return cannot_open(fd, path, report, err);
        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "look at a file of the image");
        if (!S_ISREG(st.st_mode))
                return report_refuse(report, RULE_SPECIAL_FILE, path,
                                     "the image speaks of a file, and this is none");
        return TAKE_FD(fd);
}

static int send_text(int fd, uint64_t size, Report *report, Error *err) {
        char bytes[RECORD_DATA_MAX];
        uint64_t at = 0;
        ssize_t n = 1;
        int r = 0;

        while (r >= 0 && at < size && n > 0) {
                RecordHead head = { .kind = RECORD_TEXT, .a = at, .b = size };

                n = pread(fd, bytes, size - at < sizeof(bytes) ? size - at : sizeof(bytes),
                          (off_t) at);
                if (n < 0)
                        return error_set(err, -errno, "read a file of the image");
                r = report_bytes(report, &head, bytes, (size_t) n);
                at += (uint64_t) n;
        }
        return r < 0 ? error_set(err, r, "write a record") : 0;
}

int image_text(int tree, const char *path, uint64_t max, Report *report, Error *err) {
        autoclose int fd = image_blob_open(tree, path, report, err);
        struct stat st;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "look at a file of the image");
        if ((uint64_t) st.st_size > max)
                return report_refuse(report, RULE_FILE_SIZE, path,
                                     "a text of an image has at most %llu bytes",
                                     (unsigned long long) max);
        return send_text(fd, (uint64_t) st.st_size, report, err);
}

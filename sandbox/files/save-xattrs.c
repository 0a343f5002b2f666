/* save-xattrs: see save-xattrs.h. */
#include "sandbox/files/save-xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/owned.h"
#include "sandbox/files/unpack-xattrs.h"
#include "sandbox/files/xattr-names.h"

/* Marks are kept under user. where the overlay was mounted so, else under trusted. */
static const char *const spaces[] = { "user.overlay.", "trusted.overlay." };

/*
 * The first byte of a mark, 0 where it is empty. A mark that cannot be read is no missing one: without its
 * whiteout or its reference an object would be kept for what it is not.
 *
 * Returns: 1, 0 where there is none, or negative errno
 */
static int get_mark(int fd, const char *space, const char *mark, char *ret_value) {
        char name[64], value[XATTR_SIZE_MAX];
        ssize_t n;

        (void) snprintf(name, sizeof(name), "%s%s", space, mark);
        n = fgetxattr(fd, name, value, sizeof(value));
        if (n < 0)
                return errno == ENODATA || errno == ENOTSUP ? 0 : -errno;
        *ret_value = n > 0 ? value[0] : 0;
        return 1;
}

int save_marks(int fd, SaveMarks *ret_marks) {
        SaveMarks marks = { 0 };

        for (size_t i = 0; i < ELEMENTS(spaces); i++) {
                char opaque = 0, ignored;
                int whiteout = get_mark(fd, spaces[i], "whiteout", &ignored);
                int r = get_mark(fd, spaces[i], "opaque", &opaque);
                int redirect = get_mark(fd, spaces[i], "redirect", &ignored);
                int metacopy = get_mark(fd, spaces[i], "metacopy", &ignored);

                if (whiteout < 0 || r < 0 || redirect < 0 || metacopy < 0)
                        return whiteout < 0   ? whiteout
                               : r < 0        ? r
                               : redirect < 0 ? redirect
                                              : metacopy;
                marks.whiteout |= whiteout > 0;
                marks.opaque |= opaque == 'y';
                marks.redirect |= redirect > 0 || metacopy > 0;
        }
        *ret_marks = marks;
        return 0;
}

static bool is_overlays(const char *name) {
        size_t i;

        for (i = 0; i < ELEMENTS(spaces); i++)
                if (strncmp(name, spaces[i], strlen(spaces[i])) == 0)
                        return true;
        return false;
}

static int save_one(Land *land, int fd, const char *path, const char *name, Error *err) {
        LandXattr xattr = { .name = name };
        char value[XATTR_SIZE_MAX];
        ssize_t n;

        n = fgetxattr(fd, name, value, sizeof(value));
        if (n < 0)
                return error_set(err, -errno, "read an attribute of the upper");
        xattr.value = value;
        xattr.size = (size_t) n;
        return land_xattr(land, path, &xattr, err);
}

static int leave_out(Land *land, const char *path, const char *name) {
        return xattr_may_land(name)
                       ? report_note(land->report, RULE_XATTR, path,
                                     "the attribute %.255s was left out: an entry has at most %u",
                                     name, XATTRS_MAX)
                       : report_note(land->report, RULE_XATTR, path,
                                     "the attribute %.255s never lies in a layer, and was left out",
                                     name);
}

int save_xattrs(Land *land, int fd, const char *path, Error *err) {
        autofree const char **names = NULL;
        int n = xattr_names(fd, &names), r = 0;
        unsigned landed = 0;

        if (n < 0)
                return error_set(err, n, "list attributes of the upper");
        for (int i = 0; r >= 0 && i < n; i++) {
                if (is_overlays(names[i]))
                        continue;
                if (!xattr_may_land(names[i]) || landed == XATTRS_MAX)
                        r = leave_out(land, path, names[i]);
                else if ((r = save_one(land, fd, path, names[i], err)) >= 0)
                        landed++;
        }
        return r;
}

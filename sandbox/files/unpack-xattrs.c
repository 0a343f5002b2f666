/* unpack-xattrs: see unpack-xattrs.h. */
#include "sandbox/files/unpack-xattrs.h"

#include <stdlib.h>
#include <string.h>

bool xattr_may_land(const char *name) {
        return strncmp(name, "user.", 5) == 0 && strncmp(name, "user.overlay.", 13) != 0;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(((const LandXattr *) a)->name, ((const LandXattr *) b)->name);
}

static int leave_out(Land *land, const char *path, const char *name) {
        return report_note(land->report, RULE_XATTR, path,
                           "the attribute %.255s never lies in a layer, and was left out", name);
}

int unpack_xattrs(Land *land, struct archive_entry *entry, const char *path, Error *err) {
        LandXattr xattrs[XATTRS_MAX], xattr;
        unsigned long set = 0, clear = 0;
        unsigned n = 0, i;
        int r = 0;

        if (archive_entry_acl_types(entry) != 0)
                r = report_note(land->report, RULE_XATTR, path, "its access list was left out");
        archive_entry_fflags(entry, &set, &clear);
        if (r >= 0 && (set || clear))
                r = report_note(land->report, RULE_XATTR, path, "its file flags were left out");
        if (archive_entry_xattr_reset(entry) == 0 || r < 0)
                return r;
        while (r >= 0 &&
               archive_entry_xattr_next(entry, &xattr.name, &xattr.value, &xattr.size) == 0) {
                if (n < XATTRS_MAX && xattr_may_land(xattr.name))
                        xattrs[n++] = xattr;
                else
                        r = leave_out(land, path, xattr.name);
        }
        qsort(xattrs, n, sizeof(*xattrs), compare_names);
        for (i = 0; i < n && r >= 0; i++)
                if (i + 1 == n || strcmp(xattrs[i].name, xattrs[i + 1].name) != 0)
                        r = land_xattr(land, path, &xattrs[i], err);
        return r;
}

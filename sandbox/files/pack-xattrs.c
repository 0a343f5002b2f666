/* pack-xattrs: see pack-xattrs.h. */
#include "sandbox/files/pack-xattrs.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include "base/owned.h"
#include "sandbox/files/unpack-xattrs.h"
#include "sandbox/files/xattr-names.h"

#define VALUES_MAX \
        (512u      \
         << 10) /* of one object: their header is shorter than TAR_PAX_MAX then, however they are written */

struct PackXattrs {
        const char **names; /* owned: of the object that was read last */
        TarXattr items[XATTRS_MAX];
        char values[VALUES_MAX];
        size_t used; /* of them */
};

PackXattrs *pack_xattrs_new(void) {
        PackXattrs *xattrs = malloc(sizeof(PackXattrs));

        if (xattrs)
                xattrs->names = NULL;
        return xattrs;
}

PackXattrs *pack_xattrs_free(PackXattrs *xattrs) {
        if (xattrs)
                free(xattrs->names);
        free(xattrs);
        return NULL;
}

/* Returns: 1, 0 there is no room for it, negative errno. The kernel takes no room at all for the question how long it is */
static int read_value(PackXattrs *xattrs, int fd, const char *name, TarXattr *ret) {
        size_t room = sizeof(xattrs->values) - xattrs->used;
        char *value = xattrs->values + xattrs->used;
        ssize_t n = room > 0 ? fgetxattr(fd, name, value, room) : -1;

        if (n < 0)
                return room == 0 || errno == ERANGE ? 0 : -errno;
        xattrs->used += (size_t) n;
        *ret = (TarXattr){ name, value, (size_t) n };
        return 1;
}

int pack_xattrs_read(PackXattrs *xattrs, int fd, TarEntry *entry, Report *report, Error *err) {
        unsigned count = 0;
        int n, r = 0;

        free(TAKE_PTR(xattrs->names));
        xattrs->used = 0;
        n = xattr_names(fd, &xattrs->names);
        if (n < 0)
                return error_set(err, n, "list the attributes of an object of the tree");
        for (int i = 0; r >= 0 && i < n; i++) {
                if (!xattr_may_land(xattrs->names[i]))
                        continue;
                r = count == XATTRS_MAX
                            ? 0
                            : read_value(xattrs, fd, xattrs->names[i], &xattrs->items[count]);
                count += r > 0;
                if (r < 0)
                        return error_set(err, r, "read an attribute of an object of the tree");
                if (r == 0)
                        r = report_note(report, RULE_XATTR, entry->path,
                                        "the attribute %.255s was left out: an entry has at most "
                                        "%u, of %u bytes in all",
                                        xattrs->names[i], XATTRS_MAX, VALUES_MAX);
        }
        entry->xattrs = xattrs->items;
        entry->n_xattrs = count;
        return r < 0 ? r : 0;
}

/* pack-xattrs: see pack-xattrs.h. */
#include "sandbox/files/pack-xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "sandbox/files/unpack-xattrs.h"

#define VALUES_MAX \
        (1u        \
         << 20) /* of all values of one object: more than the kernel lets a file of the store have */

struct PackXattrs {
        char list[XATTR_LIST_MAX];
        TarXattr items[XATTRS_MAX];
        char values[VALUES_MAX];
};

PackXattrs *pack_xattrs_new(void) {
        return malloc(sizeof(PackXattrs));
}

PackXattrs *pack_xattrs_free(PackXattrs *xattrs) {
        free(xattrs);
        return NULL;
}

static int compare(const void *a, const void *b) {
        return strcmp(((const TarXattr *) a)->name, ((const TarXattr *) b)->name);
}

int pack_xattrs_read(PackXattrs *xattrs, int fd, TarEntry *entry, Error *err) {
        ssize_t n = flistxattr(fd, xattrs->list, sizeof(xattrs->list));
        const char *end = xattrs->list + (n > 0 ? n : 0);
        size_t used = 0;
        unsigned count = 0;

        if (n < 0 && errno != ENOTSUP)
                return error_set(err, -errno, "list the attributes of an object of the tree");
        for (const char *name = xattrs->list; name < end; name += strlen(name) + 1) {
                ssize_t size;

                if (!xattr_may_land(name))
                        continue;
                size = fgetxattr(fd, name, xattrs->values + used, sizeof(xattrs->values) - used);
                if (size < 0 || count == XATTRS_MAX)
                        return error_set(err, size < 0 ? -errno : -E2BIG,
                                         "read an attribute of an object of the tree");
                xattrs->items[count++] = (TarXattr){ name, xattrs->values + used, (size_t) size };
                used += (size_t) size;
        }
        if (count > 1)
                qsort(xattrs->items, count, sizeof(*xattrs->items), compare);
        entry->xattrs = xattrs->items;
        entry->n_xattrs = count;
        return 0;
}

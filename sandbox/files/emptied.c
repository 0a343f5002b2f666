/*
 * emptied: one level down for each directory, at most NAME_DEPTH_MAX of them, with one path for all levels and no
 * descriptor kept: a level costs its listing.
 */
#include "sandbox/files/emptied.h"

#include <errno.h>
#include <string.h>

#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"

typedef struct Look {
        int tree;          /* borrowed */
        const Table *gone; /* borrowed */
        char path[NAME_PATH_MAX];
        size_t n; /* of it */
} Look;

static int list(const Look *look, Listing **ret) {
        autoclose int fd = beneath_dir(look->tree, look->path);

        return fd < 0 ? fd : listing_new(fd, ret);
}

/* The path goes on with @name. Returns: false where that is too long for one */
static bool go_down(Look *look, const char *name) {
        size_t n = strlen(name);

        if (look->n + 1 + n >= sizeof(look->path))
                return false;
        look->path[look->n] = '/';
        memcpy(look->path + look->n + 1, name, n + 1);
        look->n += 1 + n;
        return true;
}

static int look_at(Look *look, unsigned depth) {
        SCOPED(listing_free) Listing *items = NULL;
        size_t n = look->n;
        int r = depth > NAME_DEPTH_MAX ? 0 : list(look, &items);

        if (!items)
                return r;
        r = 1;
        for (unsigned i = 0; r == 1 && i < items->n; i++) {
                if (!go_down(look, items->items[i].name))
                        return 0;
                r = items->items[i].is_dir ? look_at(look, depth + 1)
                                           : table_find(look->gone, look->path) != NULL;
                look->path[look->n = n] = 0;
        }
        return r;
}

int emptied_is(int tree, const char *dir, const Table *gone) {
        Look look = { .tree = tree, .gone = gone, .n = strlen(dir) };

        if (look.n >= sizeof(look.path))
                return 0;
        memcpy(look.path, dir, look.n + 1);
        return look_at(&look, 1);
}

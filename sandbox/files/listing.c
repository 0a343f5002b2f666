/* listing: see listing.h. */
#include "sandbox/files/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

#define CHUNK     32768
#define NAMES_MAX (256u << 20) /* of one directory: 256 MiB of names */

int listing_compare(const char *a, bool a_is_dir, const char *b, bool b_is_dir) {
        size_t n = strlen(a), m = strlen(b);
        int r = memcmp(a, b, n < m ? n : m);
        unsigned char x, y;

        if (r != 0)
                return r;
        x = n > m ? (unsigned char) a[m] : m > n ? (a_is_dir ? '/' : 0) : a_is_dir;
        y = m > n ? (unsigned char) b[n] : n > m ? (b_is_dir ? '/' : 0) : b_is_dir;
        if (x != y)
                return (int) x - (int) y;
        return n < m ? -1 : n > m; /* a directory comes before what is in it */
}

static int compare_items(const void *a, const void *b) {
        const ListingItem *x = a, *y = b;

        return listing_compare(x->name, x->is_dir, y->name, y->is_dir);
}

/* Each entry is kept as its type byte, its name and a 0. */
static int keep_name(int fd, const struct dirent64 *entry, Buf *names) {
        struct stat st;
        char type = (char) entry->d_type;
        int r;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                return 0;
        if (type == DT_UNKNOWN) {
                if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return errno == ENOENT ? 0 : -errno; /* it went away meanwhile */
                type = (char) IFTODT(st.st_mode);
        }
        r = buf_append(names, &type, 1);
        if (r < 0)
                return r;
        r = buf_append(names, entry->d_name, strlen(entry->d_name) + 1);
        return r < 0 ? r : 1;
}

static int read_names(int fd, Buf *names, unsigned *ret_n) {
        autofree char *chunk = malloc(CHUNK);
        unsigned n = 0;
        ssize_t got, at;
        int r;

        if (!chunk)
                return -ENOMEM;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        while ((got = getdents64(fd, chunk, CHUNK)) > 0)
                for (at = 0; at < got;) {
                        const struct dirent64 *entry = (const void *) (chunk + at);

                        r = keep_name(fd, entry, names);
                        if (r < 0)
                                return r;
                        n += (unsigned) r;
                        at += entry->d_reclen;
                }
        if (got < 0)
                return -errno;
        *ret_n = n;
        return 0;
}

static void index_names(Listing *listing) {
        const char *at = listing->names;
        unsigned i;

        for (i = 0; i < listing->n; i++) {
                ListingItem *item = &listing->items[i];

                item->type = (uint8_t) *at;
                item->is_dir = item->type == DT_DIR;
                item->name = at + 1;
                at += strlen(item->name) + 2;
        }
        if (listing->n > 1)
                qsort(listing->items, listing->n, sizeof(*listing->items), compare_items);
}

int listing_new(int fd, Listing **ret_listing) {
        SCOPED(listing_free) Listing *listing = calloc(1, sizeof(*listing));
        Buf names = BUF_EMPTY(NAMES_MAX);
        int r;

        if (!listing)
                return -ENOMEM;
        r = read_names(fd, &names, &listing->n);
        if (r < 0) {
                buf_deinit(&names);
                return r;
        }
        listing->names = buf_take(&names);
        listing->items = calloc(listing->n + 1, sizeof(*listing->items));
        if (!listing->names || !listing->items)
                return -ENOMEM;
        index_names(listing);
        *ret_listing = TAKE_PTR(listing);
        return 0;
}

Listing *listing_free(Listing *listing) {
        if (listing) {
                free(listing->items);
                free(listing->names);
        }
        free(listing);
        return NULL;
}

static const ListingItem *find_as(const Listing *listing, const char *name, bool is_dir) {
        unsigned low = 0, high = listing->n;

        while (low < high) {
                unsigned middle = low + (high - low) / 2;
                const ListingItem *item = &listing->items[middle];
                int r = listing_compare(name, is_dir, item->name, item->is_dir);

                if (r == 0)
                        return item;
                if (r < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

const ListingItem *listing_find(const Listing *listing, const char *name) {
        const ListingItem *item = find_as(listing, name, false);

        return item ? item : find_as(listing, name, true);
}

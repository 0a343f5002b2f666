/* tar-write: see tar-write.h. */
#include "sandbox/files/tar-write.h"

#include <errno.h>
#include <linux/limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/escape.h"
#include "base/fds.h"
#include "base/owned.h"

#define PLAIN_SIZE_MAX 077777777777ull /* of a plain header's eleven digits */
#define PAX_NAME       "PaxHeaders/"
#define PLAIN_XATTR    "SCHILY.xattr."
#define ODD_XATTR      "LIBARCHIVE.xattr."

typedef struct Header { /* of a block, as POSIX has it */
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], kind, link[100];
        char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], rest[12];
} Header;
_Static_assert(sizeof(Header) == TAR_BLOCK, "a header is a block");

static const char zeroes[32768];

/* ---- bytes --------------------------------------------------------------------------------------- */

int tar_init(TarWriter *tar, int fd, bool hashed, Error *err) {
        *tar = (TarWriter){ .fd = fd, .room = malloc(TAR_ROOM) };
        if (!tar->room || (hashed && digest_new(&tar->digest) < 0)) {
                tar_deinit(tar);
                return error_set(err, -ENOMEM, "start an archive");
        }
        return 0;
}

void tar_deinit(TarWriter *tar) {
        free(tar->room);
        tar->digest = digest_free(tar->digest);
        tar->room = NULL;
}

static int write_out(const TarWriter *tar, const void *bytes, size_t n, Error *err) {
        int r = tar->fd < 0 ? 0 : fd_write_all(tar->fd, bytes, n);

        return r < 0 ? error_set(err, r, "write the archive") : 0;
}

int tar_flush(TarWriter *tar, Error *err) {
        size_t n = tar->used;

        tar->used = 0;
        return write_out(tar, tar->room, n, err);
}

static int put(TarWriter *tar, const void *bytes, size_t n, Error *err) {
        int r = 0;

        if (tar->digest)
                digest_add(tar->digest, bytes, n);
        tar->bytes += n;
        if (n > TAR_ROOM - tar->used)
                r = tar_flush(tar, err);
        if (r < 0 || n > TAR_ROOM / 2)
                return r < 0 || (r = tar_flush(tar, err)) < 0 ? r : write_out(tar, bytes, n, err);
        memcpy(tar->room + tar->used, bytes, n);
        tar->used += n;
        return 0;
}

int tar_data(TarWriter *tar, const void *bytes, uint64_t n, Error *err) {
        int r = 0;

        if (bytes)
                return put(tar, bytes, n, err);
        for (; r >= 0 && n > 0; n -= n < sizeof(zeroes) ? n : sizeof(zeroes))
                r = put(tar, zeroes, n < sizeof(zeroes) ? n : sizeof(zeroes), err);
        return r;
}

int tar_pad(TarWriter *tar, uint64_t size, Error *err) {
        return tar_data(tar, NULL, -size % TAR_BLOCK, err);
}

int tar_end(TarWriter *tar, Error *err) {
        int r = tar_data(tar, NULL, 2 * TAR_BLOCK, err);

        return r < 0 ? r : tar_flush(tar, err);
}

/* ---- headers ------------------------------------------------------------------------------------- */

static void octal(char *field, size_t size, uint64_t value) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%0*llo", (int) size - 1, (unsigned long long) value);
        memcpy(field, text, size);
}

static void copy_name(char *field, size_t size, const char *name) {
        size_t n = strlen(name);

        memcpy(field, name, n < size ? n : size);
}

/* A plain header; what it has no room for is cut, and stands in the extended one before it */
static int put_header(TarWriter *tar, const TarEntry *entry, const char *path, char kind,
                      Error *err) {
        Header header = { .kind = kind, .magic = "ustar", .version = { '0', '0' } };
        uint64_t size = entry->size <= PLAIN_SIZE_MAX ? entry->size : 0;
        unsigned sum = 0;

        copy_name(header.name, sizeof(header.name), path);
        copy_name(header.link, sizeof(header.link), entry->link ? entry->link : "");
        octal(header.mode, sizeof(header.mode), entry->mode);
        octal(header.uid, sizeof(header.uid), entry->uid);
        octal(header.gid, sizeof(header.gid), entry->gid);
        octal(header.size, sizeof(header.size), size);
        octal(header.mtime, sizeof(header.mtime), (uint64_t) entry->sec);
        octal(header.major, sizeof(header.major), 0);
        octal(header.minor, sizeof(header.minor), 0);
        memset(header.sum, ' ', sizeof(header.sum));
        for (size_t i = 0; i < sizeof(header); i++)
                sum += ((const unsigned char *) &header)[i];
        (void) snprintf(header.sum, sizeof(header.sum), "%06o", sum);
        return put(tar, &header, sizeof(header), err);
}

static size_t digits(size_t n) {
        size_t count = 1;

        for (; n >= 10; n /= 10)
                count++;
        return count;
}

/* "LENGTH KEY=VALUE\n", whose length counts itself */
static int add_record(Buf *pax, const char *key, const void *value, size_t size) {
        size_t rest = strlen(key) + size + 3, n = rest + digits(rest);
        int r;

        if (digits(n) > digits(rest))
                n++;
        r = buf_printf(pax, "%zu %s=", n, key);
        if (r >= 0)
                r = buf_append(pax, value, size);
        return r < 0 ? r : buf_append(pax, "\n", 1);
}

static int add_text(Buf *pax, const char *key, const char *text) {
        return add_record(pax, key, text, strlen(text));
}

/* A name that would end its key too soon. libarchive has a form of its own for it, which bsdtar and unpack.c read */
static int add_odd_xattr(Buf *pax, const TarXattr *xattr) {
        autofree char *value = malloc(BASE64_SIZE(xattr->size));
        char key[sizeof(ODD_XATTR) + 3 * XATTR_NAME_MAX];
        size_t n = strlen(ODD_XATTR);

        if (!value)
                return -ENOMEM;
        memcpy(key, ODD_XATTR, n);
        for (const char *c = xattr->name; *c && n + 4 <= sizeof(key); c++)
                n += (size_t) snprintf(key + n, 4,
                                       *c > ' ' && *c < 0x7f && !strchr("%=", *c) ? "%c" : "%%%02X",
                                       (unsigned char) *c);
        return add_text(pax, key, base64_format(xattr->value, xattr->size, value));
}

static int add_xattrs(Buf *pax, const TarEntry *entry) {
        char key[sizeof(PLAIN_XATTR) + XATTR_NAME_MAX];
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < entry->n_xattrs; i++) {
                const TarXattr *xattr = &entry->xattrs[i];

                (void) snprintf(key, sizeof(key), PLAIN_XATTR "%s", xattr->name);
                r = strchr(xattr->name, '=') ? add_odd_xattr(pax, xattr)
                                             : add_record(pax, key, xattr->value, xattr->size);
        }
        return r;
}

static bool is_long(const char *name) {
        return name && strlen(name) > sizeof(((Header *) NULL)->name);
}

static bool is_binary(const char *name) {
        return name && !utf8_is_valid(name, strlen(name));
}

/* What the plain header cannot say, in the order of its keys */
static int fill_pax(Buf *pax, const TarEntry *entry, const char *path) {
        char text[40];
        bool long_path = is_long(path), long_link = is_long(entry->link);
        int r = 0;

        if ((long_path && is_binary(path)) || (long_link && is_binary(entry->link)))
                r = add_text(pax, "hdrcharset", "BINARY");
        if (r >= 0 && entry->nsec > 0) {
                (void) snprintf(text, sizeof(text), "%lld.%09u", (long long) entry->sec,
                                entry->nsec);
                r = add_text(pax, "mtime", text);
        }
        if (r >= 0 && long_path)
                r = add_text(pax, "path", path);
        if (r >= 0 && long_link)
                r = add_text(pax, "linkpath", entry->link);
        if (r >= 0 && entry->size > PLAIN_SIZE_MAX) {
                (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) entry->size);
                r = add_text(pax, "size", text);
        }
        return r < 0 ? r : add_xattrs(pax, entry);
}

static int put_pax(TarWriter *tar, const TarEntry *entry, const char *path, Error *err) {
        Buf pax = BUF_EMPTY(TAR_PAX_MAX);
        TarEntry head = { .mode = 0644 };
        char name[100];
        int r = fill_pax(&pax, entry, path);

        if (r < 0)
                r = error_set(err, r, "write an extended header of the archive");
        if (r >= 0 && pax.len > 0) {
                const char *leaf = strrchr(entry->path, '/');

                (void) snprintf(name, sizeof(name), PAX_NAME "%.80s",
                                leaf ? leaf + 1 : entry->path);
                head.size = pax.len;
                r = put_header(tar, &head, name, 'x', err);
                if (r >= 0)
                        r = put(tar, pax.data, pax.len, err);
                if (r >= 0)
                        r = tar_pad(tar, pax.len, err);
        }
        buf_deinit(&pax);
        return r;
}

int tar_entry(TarWriter *tar, const TarEntry *entry, Error *err) {
        autofree char *path = NULL;
        int r;

        if (asprintf(&path, "%s%s", entry->path, entry->kind == TAR_DIR ? "/" : "") < 0)
                return error_set(err, -ENOMEM, "write a header of the archive");
        r = put_pax(tar, entry, path, err);
        return r < 0 ? r : put_header(tar, entry, path, (char) entry->kind, err);
}

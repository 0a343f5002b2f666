/*
 * archive-library: see archive-library.h. The table of addresses is what the dynamic linker would have filled at the
 * start: it is written once, by the one thread that there is, and never changes.
 */
#include "cli/archive-library.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>

#include "base/owned.h"

/* All releases 3 have it; another one may have other functions. */
#define LIBRARY "libarchive.so.13"
_Static_assert(ARCHIVE_VERSION_NUMBER / 1000000 == 3, "the library's name is that of libarchive 3");

#define OF_ARCHIVE(F)                               \
        F(int, archive_errno)                       \
        F(const char *, archive_error_string)       \
        F(la_int64_t, archive_read_header_position) \
        F(int, archive_read_support_filter_bzip2)   \
        F(int, archive_read_support_filter_gzip)    \
        F(int, archive_read_support_filter_xz)      \
        F(int, archive_read_support_filter_zstd)    \
        F(int, archive_read_support_format_tar)     \
        F(int, archive_write_close)                 \
        F(int, archive_write_fail)                  \
        F(int, archive_write_set_format_pax)        \
        F(int, archive_write_set_format_pax_restricted)

#define OF_NUMBER(F)                                  \
        F(la_int64_t, archive_filter_bytes)           \
        F(int, archive_write_open_fd)                 \
        F(int, archive_write_set_bytes_in_last_block) \
        F(int, archive_write_set_bytes_per_block)

#define OF_TEXT(F)                          \
        F(void, archive_entry_set_hardlink) \
        F(void, archive_entry_set_pathname) \
        F(void, archive_entry_set_symlink)

#define OF_ENTRY(F)                             \
        F(const char *, archive_entry_hardlink) \
        F(const char *, archive_entry_pathname) \
        F(const char *, archive_entry_symlink)  \
        F(mode_t, archive_entry_filetype)       \
        F(mode_t, archive_entry_perm)           \
        F(la_int64_t, archive_entry_size)       \
        F(time_t, archive_entry_mtime)          \
        F(long, archive_entry_mtime_nsec)

#define OF_ID(F)                        \
        F(void, archive_entry_set_gid)  \
        F(void, archive_entry_set_size) \
        F(void, archive_entry_set_uid)

#define OF_MORE(F)                          \
        F(, archive_entry_clear)            \
        F(, archive_entry_free)             \
        F(, archive_entry_new)              \
        F(, archive_entry_set_mode)         \
        F(, archive_entry_set_mtime)        \
        F(, archive_entry_sparse_add_entry) \
        F(, archive_entry_xattr_add_entry)  \
        F(, archive_read_data_block)        \
        F(, archive_read_free)              \
        F(, archive_read_new)               \
        F(, archive_read_next_header)       \
        F(, archive_read_open_fd)           \
        F(, archive_write_data)             \
        F(, archive_write_free)             \
        F(, archive_write_header)           \
        F(, archive_write_new)

#define NUMBER(TYPE, NAME) NUMBER_##NAME,
#define ROW(TYPE, NAME)    [NUMBER_##NAME] = { #NAME, NULL },

enum {
        OF_ARCHIVE(NUMBER) OF_NUMBER(NUMBER) OF_TEXT(NUMBER) OF_ENTRY(NUMBER) OF_ID(NUMBER)
                OF_MORE(NUMBER) _NUMBER_MAX
};

static struct {
        const char *name;
        void *address;
} calls[_NUMBER_MAX] = { OF_ARCHIVE(ROW) OF_NUMBER(ROW) OF_TEXT(ROW) OF_ENTRY(ROW) OF_ID(ROW)
                                 OF_MORE(ROW) };

#define THE(NAME) ((__typeof__(&NAME)) calls[NUMBER_##NAME].address)

int archive_library_load(Error *err) {
        void *library;

        if (calls[_NUMBER_MAX - 1].address)
                return 0;
        library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return error_say(err, -ENOTSUP,
                                 "load " LIBRARY ", which reads and writes archives: %s",
                                 dlerror());
        for (size_t i = 0; i < ELEMENTS(calls); i++) {
                calls[i].address = dlsym(library, calls[i].name);
                if (!calls[i].address)
                        return error_say(err, -ENOTSUP, LIBRARY " has no %s", calls[i].name);
        }
        return 0;
}

void archive_library_use_utf8(void) {
        (void) setlocale(LC_CTYPE, "C.UTF-8");
}

#define FORWARD_ARCHIVE(TYPE, NAME)          \
        TYPE NAME(struct archive *archive) { \
                return THE(NAME)(archive);   \
        }
#define FORWARD_NUMBER(TYPE, NAME)                       \
        TYPE NAME(struct archive *archive, int number) { \
                return THE(NAME)(archive, number);       \
        }
#define FORWARD_TEXT(TYPE, NAME)                                   \
        TYPE NAME(struct archive_entry *entry, const char *text) { \
                THE(NAME)(entry, text);                            \
        }
#define FORWARD_ID(TYPE, NAME)                                      \
        TYPE NAME(struct archive_entry *entry, la_int64_t number) { \
                THE(NAME)(entry, number);                           \
        }

#define FORWARD_ENTRY(TYPE, NAME)                \
        TYPE NAME(struct archive_entry *entry) { \
                return THE(NAME)(entry);         \
        }

OF_ARCHIVE(FORWARD_ARCHIVE)
OF_NUMBER(FORWARD_NUMBER)
OF_TEXT(FORWARD_TEXT)
OF_ENTRY(FORWARD_ENTRY)
OF_ID(FORWARD_ID)

struct archive_entry *archive_entry_clear(struct archive_entry *entry) {
        return THE(archive_entry_clear)(entry);
}

/* Where nothing could be loaded there is nothing to free: so with the archive. */
void archive_entry_free(struct archive_entry *entry) {
        if (entry)
                THE(archive_entry_free)(entry);
}

struct archive_entry *archive_entry_new(void) {
        return THE(archive_entry_new)();
}

void archive_entry_set_mode(struct archive_entry *entry, mode_t mode) {
        THE(archive_entry_set_mode)(entry, mode);
}

void archive_entry_set_mtime(struct archive_entry *entry, time_t seconds, long nanoseconds) {
        THE(archive_entry_set_mtime)(entry, seconds, nanoseconds);
}

void archive_entry_sparse_add_entry(struct archive_entry *entry, la_int64_t at, la_int64_t n) {
        THE(archive_entry_sparse_add_entry)(entry, at, n);
}

void archive_entry_xattr_add_entry(struct archive_entry *entry, const char *name, const void *bytes,
                                   size_t n) {
        THE(archive_entry_xattr_add_entry)(entry, name, bytes, n);
}

int archive_read_data_block(struct archive *archive, const void **bytes, size_t *n,
                            la_int64_t *at) {
        return THE(archive_read_data_block)(archive, bytes, n, at);
}

int archive_read_free(struct archive *archive) {
        return archive ? THE(archive_read_free)(archive) : ARCHIVE_OK;
}

struct archive *archive_read_new(void) {
        return THE(archive_read_new)();
}

int archive_read_next_header(struct archive *archive, struct archive_entry **entry) {
        return THE(archive_read_next_header)(archive, entry);
}

int archive_read_open_fd(struct archive *archive, int fd, size_t block) {
        return THE(archive_read_open_fd)(archive, fd, block);
}

la_ssize_t archive_write_data(struct archive *archive, const void *bytes, size_t n) {
        return THE(archive_write_data)(archive, bytes, n);
}

int archive_write_free(struct archive *archive) {
        return archive ? THE(archive_write_free)(archive) : ARCHIVE_OK;
}

int archive_write_header(struct archive *archive, struct archive_entry *entry) {
        return THE(archive_write_header)(archive, entry);
}

struct archive *archive_write_new(void) {
        return THE(archive_write_new)();
}

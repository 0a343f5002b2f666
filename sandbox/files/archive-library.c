/*
 * archive-library: see archive-library.h. The table of addresses is what the dynamic linker would have filled at the
 * start: it is written once, by the one thread that reads archives, and never changes.
 */
#include "sandbox/files/archive-library.h"

#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/owned.h"

/* All releases 3 have it; another one may have other functions. */
#define LIBRARY "libarchive.so.13"
_Static_assert(ARCHIVE_VERSION_NUMBER / 1000000 == 3, "the library's name is that of libarchive 3");

#define OF_ARCHIVE(F)                               \
        F(int, archive_errno)                       \
        F(const char *, archive_error_string)       \
        F(int, archive_filter_count)                \
        F(int, archive_format)                      \
        F(la_int64_t, archive_read_header_position) \
        F(int, archive_read_support_filter_bzip2)   \
        F(int, archive_read_support_filter_gzip)    \
        F(int, archive_read_support_filter_xz)      \
        F(int, archive_read_support_filter_zstd)    \
        F(int, archive_read_support_format_empty)   \
        F(int, archive_read_support_format_raw)     \
        F(int, archive_read_support_format_tar)

#define OF_ENTRY(F)                                  \
        F(int, archive_entry_acl_types)              \
        F(mode_t, archive_entry_filetype)            \
        F(la_int64_t, archive_entry_gid)             \
        F(const char *, archive_entry_hardlink)      \
        F(const char *, archive_entry_hardlink_utf8) \
        F(time_t, archive_entry_mtime)               \
        F(long, archive_entry_mtime_nsec)            \
        F(const char *, archive_entry_pathname)      \
        F(const char *, archive_entry_pathname_utf8) \
        F(mode_t, archive_entry_perm)                \
        F(la_int64_t, archive_entry_size)            \
        F(const char *, archive_entry_symlink)       \
        F(const char *, archive_entry_symlink_utf8)  \
        F(la_int64_t, archive_entry_uid)             \
        F(int, archive_entry_xattr_reset)

#define OF_MORE(F)                    \
        F(, archive_entry_fflags)     \
        F(, archive_entry_xattr_next) \
        F(, archive_filter_bytes)     \
        F(, archive_filter_name)      \
        F(, archive_read_data)        \
        F(, archive_read_data_block)  \
        F(, archive_read_free)        \
        F(, archive_read_new)         \
        F(, archive_read_next_header) \
        F(, archive_read_open2)       \
        F(, archive_read_open_memory) \
        F(, archive_set_error)

#define NUMBER(TYPE, NAME) NUMBER_##NAME,
#define ROW(TYPE, NAME)    [NUMBER_##NAME] = { #NAME, NULL },

enum { OF_ARCHIVE(NUMBER) OF_ENTRY(NUMBER) OF_MORE(NUMBER) _NUMBER_MAX };

static struct {
        const char *name;
        void *address;
} calls[_NUMBER_MAX] = { OF_ARCHIVE(ROW) OF_ENTRY(ROW) OF_MORE(ROW) };

#define THE(NAME) ((__typeof__(&NAME)) calls[NUMBER_##NAME].address)

int archive_library_load(Error *err) {
        void *library;

        if (calls[_NUMBER_MAX - 1].address)
                return 0;
        library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return error_say(err, -ENOTSUP, "load " LIBRARY ", which reads archives: %s",
                                 dlerror());
        for (size_t i = 0; i < ELEMENTS(calls); i++) {
                calls[i].address = dlsym(library, calls[i].name);
                if (!calls[i].address)
                        return error_say(err, -ENOTSUP, LIBRARY " has no %s", calls[i].name);
        }
        return 0;
}

#define FORWARD_ARCHIVE(TYPE, NAME)          \
        TYPE NAME(struct archive *archive) { \
                return THE(NAME)(archive);   \
        }
#define FORWARD_ENTRY(TYPE, NAME)                \
        TYPE NAME(struct archive_entry *entry) { \
                return THE(NAME)(entry);         \
        }

OF_ARCHIVE(FORWARD_ARCHIVE)
OF_ENTRY(FORWARD_ENTRY)

void archive_entry_fflags(struct archive_entry *entry, unsigned long *set, unsigned long *clear) {
        THE(archive_entry_fflags)(entry, set, clear);
}

int archive_entry_xattr_next(struct archive_entry *entry, const char **name, const void **value,
                             size_t *size) {
        return THE(archive_entry_xattr_next)(entry, name, value, size);
}

la_int64_t archive_filter_bytes(struct archive *archive, int filter) {
        return THE(archive_filter_bytes)(archive, filter);
}

const char *archive_filter_name(struct archive *archive, int filter) {
        return THE(archive_filter_name)(archive, filter);
}

la_ssize_t archive_read_data(struct archive *archive, void *bytes, size_t n) {
        return THE(archive_read_data)(archive, bytes, n);
}

int archive_read_data_block(struct archive *archive, const void **bytes, size_t *n,
                            la_int64_t *offset) {
        return THE(archive_read_data_block)(archive, bytes, n, offset);
}

/* Where nothing could be loaded there is nothing to free. */
int archive_read_free(struct archive *archive) {
        return archive ? THE(archive_read_free)(archive) : ARCHIVE_OK;
}

struct archive *archive_read_new(void) {
        return THE(archive_read_new)();
}

int archive_read_next_header(struct archive *archive, struct archive_entry **entry) {
        return THE(archive_read_next_header)(archive, entry);
}

int archive_read_open2(struct archive *archive, void *userdata, archive_open_callback *open,
                       archive_read_callback *take, archive_skip_callback *skip,
                       archive_close_callback *close) {
        return THE(archive_read_open2)(archive, userdata, open, take, skip, close);
}

int archive_read_open_memory(struct archive *archive, const void *bytes, size_t n) {
        return THE(archive_read_open_memory)(archive, bytes, n);
}

void archive_set_error(struct archive *archive, int code, const char *format, ...) {
        char text[256];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        THE(archive_set_error)(archive, code, "%s", text);
}

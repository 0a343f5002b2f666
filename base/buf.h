#pragma once
/*
 * Buf: bytes that grow up to a maximum given at the start. Invariant: data is NULL or holds cap bytes,
 * len < cap, and data[len] is 0, so that text can be read as a C string.
 */
#include <stddef.h>
#include <sys/types.h>

typedef struct Buf {
        char *data; /* owned */
        size_t len;
        size_t cap;
        size_t max; /* hard maximum of len */
} Buf;

#define BUF_EMPTY(MAX) ((Buf){ .max = (MAX) })

/** buf_deinit() - release the bytes; the Buf is empty afterwards and keeps its maximum */
void buf_deinit(Buf *buf);

/* autobuf Buf text = BUF_EMPTY(4096); is released where its block ends */
#define autobuf __attribute__((cleanup(buf_deinit)))

/** buf_append() - copy @n bytes to the end. Returns: 0, -ENOBUFS above the maximum, -ENOMEM */
int buf_append(Buf *buf, const void *bytes, size_t n);

/** buf_printf() - append formatted text. Returns: as buf_append() */
int buf_printf(Buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** buf_drop() - take @n (<= len) bytes off the front */
void buf_drop(Buf *buf, size_t n);

/**
 * buf_read() - one read(2) of at most @n bytes to the end
 *
 * Returns: bytes read, 0 at the end of input, -EAGAIN where nothing is there, -ENOBUFS when full,
 *          else negative errno.
 */
ssize_t buf_read(Buf *buf, int fd, size_t n);

/** buf_take() - hand the bytes over to the caller (free()); "" rather than NULL when empty; NULL: no memory */
char *buf_take(Buf *buf);

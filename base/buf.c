/*
 * buf: see buf.h.
 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_CAP 256

void buf_deinit(Buf *buf) {
        free(buf->data);
        buf->data = NULL;
        buf->len = buf->cap = 0;
}

/* Makes room for @n bytes and the 0 behind them. */
static int reserve(Buf *buf, size_t n) {
        size_t need, cap;
        char *data;

        if (n > buf->max || buf->len > buf->max - n)
                return -ENOBUFS;
        need = buf->len + n + 1;
        if (need <= buf->cap)
                return 0;
        cap = buf->cap ? buf->cap : FIRST_CAP;
        while (cap < need)
                cap = cap > SIZE_MAX / 2 ? need : cap * 2;
        if (cap - 1 > buf->max)
                cap = buf->max + 1;
        data = realloc(buf->data, cap);
        if (!data)
                return -ENOMEM;
        buf->data = data;
        buf->cap = cap;
        return 0;
}

int buf_append(Buf *buf, const void *bytes, size_t n) {
        int r = reserve(buf, n);

        if (r < 0)
                return r;
        if (n > 0)
                memcpy(buf->data + buf->len, bytes, n);
        buf->len += n;
        buf->data[buf->len] = 0;
        return 0;
}

int buf_printf(Buf *buf, const char *format, ...) {
        va_list args;
        int n, r;

        va_start(args, format);
        n = vsnprintf(NULL, 0, format, args);
        va_end(args);
        if (n < 0)
                return -EINVAL;
        r = reserve(buf, (size_t) n);
        if (r < 0)
                return r;
        va_start(args, format);
        (void) vsnprintf(buf->data + buf->len, (size_t) n + 1, format, args);
        va_end(args);
        buf->len += (size_t) n;
        return 0;
}

void buf_drop(Buf *buf, size_t n) {
        if (n == 0)
                return;
        memmove(buf->data, buf->data + n, buf->len - n + 1);
        buf->len -= n;
}

ssize_t buf_read(Buf *buf, int fd, size_t n) {
        ssize_t got;
        int r;

        if (buf->len >= buf->max)
                return -ENOBUFS;
        if (n > buf->max - buf->len)
                n = buf->max - buf->len;
        r = reserve(buf, n);
        if (r < 0)
                return r;
        do
                got = read(fd, buf->data + buf->len, n);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return -errno;
        buf->len += (size_t) got;
        buf->data[buf->len] = 0;
        return got;
}

char *buf_take(Buf *buf) {
        char *data = buf->data ? buf->data : calloc(1, 1);

        if (!data)
                return NULL;
        buf->data = NULL;
        buf->len = buf->cap = 0;
        return data;
}

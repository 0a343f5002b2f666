/*
 * spans: see spans.h.
 */
#include "base/spans.h"

#include <errno.h>
#include <unistd.h>

bool span_next(int fd, uint64_t at, uint64_t size, Span *ret) {
        off_t data = lseek(fd, (off_t) at, SEEK_DATA), hole;

        if (data < 0 && errno == ENXIO) /* a hole up to its end */
                return false;
        if (data < 0) /* its file system knows of no holes */
                data = (off_t) at;
        if ((uint64_t) data >= size)
                return false;
        hole = lseek(fd, data, SEEK_HOLE);
        *ret = (Span){ (uint64_t) data,
                       hole > data && (uint64_t) hole < size ? (uint64_t) hole : size };
        return true;
}

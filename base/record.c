/*
 * record: see record.h.
 */
#include "base/record.h"

#include <errno.h>
#include <string.h>

#include "base/fds.h"

int record_next(Buf *buf, Record *ret_record) {
        RecordHead head;

        if (buf->len < sizeof(head))
                return 0;
        memcpy(&head, buf->data, sizeof(head));
        if (head.kind < RECORD_PROGRESS || head.kind >= _RECORD_KIND_MAX ||
            head.size > RECORD_DATA_MAX)
                return -EBADMSG;
        if (buf->len - sizeof(head) < head.size)
                return 0;
        ret_record->head = head;
        memcpy(ret_record->data, buf->data + sizeof(head), head.size);
        ret_record->data[head.size] = 0;
        buf_drop(buf, sizeof(head) + head.size);
        return 1;
}

size_t record_encode(const RecordHead *head, const void *data, size_t n, char *bytes) {
        RecordHead cut = *head;

        if (n > RECORD_DATA_MAX)
                n = RECORD_DATA_MAX;
        cut.size = (uint16_t) n;
        memcpy(bytes, &cut, sizeof(cut));
        if (n > 0)
                memcpy(bytes + sizeof(cut), data, n);
        return sizeof(cut) + n;
}

int record_write(int fd, const RecordHead *head, const void *data, size_t n) {
        char bytes[RECORD_MAX];

        n = record_encode(head, data, n, bytes);
        return fd_write_all(fd, bytes, n); /* one write(2) where the pipe has room */
}

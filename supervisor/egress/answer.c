/*
 * answer: see answer.h.
 */
#include "supervisor/egress/answer.h"

#include "supervisor/egress/reply.h"

void answer_begin(Answer *answer, Socket *socket, const TransferHead *from, bool close) {
        const ReplyHead head = { .status = from->status,
                                 .type = from->type,
                                 .retry_after = from->retry_after,
                                 .length = from->length,
                                 .final = from->status != 200,
                                 .close = close };

        *answer = (Answer){ .started = true, .chunked = from->length < 0 };
        socket_begin_waiting(socket);
        if (reply_head(&socket->out, &head) < 0)
                socket->gone = true;
}

int answer_more(Answer *answer, Socket *socket, const char *bytes, size_t n) {
        if (socket->gone)
                return -1;
        if (socket->out.len > ANSWER_OUT_PAUSE) {
                answer->paused = true;
                return 0;
        }
        socket_begin_waiting(socket);
        if (reply_body(&socket->out, answer->chunked, bytes, n) < 0)
                socket->gone = true;
        return socket->gone ? -1 : 1;
}

void answer_finish(Answer *answer, Socket *socket) {
        if (answer->chunked && reply_last(&socket->out) < 0)
                socket->gone = true;
}

bool answer_resumes(Answer *answer, const Socket *socket) {
        if (!answer->paused || socket->gone || socket->out.len >= ANSWER_OUT_PAUSE / 2)
                return false;
        answer->paused = false;
        return true;
}

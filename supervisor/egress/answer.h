#pragma once
/*
 * answer: a provider's answer on its way to the client, put into the socket as it comes.
 */
#include "supervisor/egress/socket.h"
#include "supervisor/egress/transfer.h"

#define ANSWER_OUT_MAX   (256 * 1024) /* bytes that may wait for a client */
#define ANSWER_OUT_PAUSE (128 * 1024) /* from here on the provider is made to wait */

typedef struct Answer {
        bool started; /* the head is out */
        bool chunked;
        bool paused; /* the provider waits */
} Answer;

/** answer_begin() - the head. @close: the connection ends behind this answer */
void answer_begin(Answer *answer, Socket *socket, const TransferHead *from, bool close);
/** answer_more() - bytes of the body. Returns: as TransferEvents.body() */
int answer_more(Answer *answer, Socket *socket, const char *bytes, size_t n);
/** answer_finish() - behind the last byte */
void answer_finish(Answer *answer, Socket *socket);
/** answer_resumes() - the provider waited, and now there is room again: true once */
bool answer_resumes(Answer *answer, const Socket *socket);

#pragma once
/*
 * call: one request of a client as a call of its route's model: may it begin and what may it cost, what goes out for it,
 * what the front hears at its end. It knows the request, the route and the transfer, and no client.
 */
#include "supervisor/egress/request.h"
#include "supervisor/egress/transfer.h"
#include "supervisor/egress/upstream.h"

typedef struct Call {
        Route *route;       /* borrowed */
        RequestHead head;   /* of the request */
        ShareCall cost;     /* set aside for it */
        Buf body;           /* of the request, as it goes out */
        Upstream upstream;  /* likewise */
        Transfer *transfer; /* owned; NULL: none is under way */
} Call;

enum { CALL_E_WAITS = 1 };

/** call_init() - no request yet */
void call_init(Call *call, Route *route);
/** call_clear() - drop what goes out, and a transfer under way without a further event; ready for the next request */
void call_clear(Call *call);

/**
 * call_begin() - make the body that goes out and set aside what the call may cost
 * @call: its head is known
 * @text: the body of the request as it came
 *
 * Returns: 0; CALL_E_WAITS: for other calls of its task to end, then again; negative errno and @ret_fault: it does
 *          not go out, and where the client's words or a limit are why, the front was told.
 */
int call_begin(Call *call, const char *text, RequestFault *ret_fault);
/** call_send() - what call_begin() made. Returns: as transfer_new() */
int call_send(Call *call, const TransferEvents *events, void *userdata, Error *err);
/** call_end() - it cost what @end says; the front is told */
void call_end(Call *call, const TransferEnd *end);
/** call_give_back() - it did not begin after all, and keeps no tokens from others. Returns: false: it kept none */
bool call_give_back(Call *call);

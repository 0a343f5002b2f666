/*
 * call: see call.h.
 */
#include "supervisor/egress/call.h"

#include <errno.h>
#include <stdio.h>

#include "supervisor/egress/body.h"
#include "supervisor/egress/usage.h"

void call_init(Call *call, Route *route) {
        *call = (Call){ .route = route, .body = BUF_EMPTY(REQUEST_BODY_MAX + BODY_MORE_MAX) };
}

void call_clear(Call *call) {
        call->transfer = transfer_free(call->transfer);
        buf_deinit(&call->body);
}

/* What a text of so many bytes costs; a picture or a file is said in far more bytes than it costs. */
static uint64_t prompt_of(const BodyText *body, const BodyFacts *facts) {
        return (body->n - facts->content) / USAGE_BYTES_PER_TOKEN +
               facts->content / (4 * USAGE_BYTES_PER_TOKEN);
}

static int refuse_limit(Call *call, ShareWord word, RequestFault *ret_fault) {
        route_limit(call->route, word, call->cost.money);
        request_fault(ret_fault, 429, "limit", "%s",
                      word == SHARE_CALLS_USED ? "the task's model calls are all used"
                      : word == SHARE_TOKENS_USED
                              ? "the task's tokens are all used"
                              : "what is left of the task's money does not pay for this call");
        return -EDQUOT;
}

static int set_aside(Call *call, RequestFault *ret_fault) {
        Route *route = call->route;
        ShareWord word;

        if (!route->has_room(route->userdata)) {
                request_fault(ret_fault, 503, "busy",
                              "the supervisor is busy: try again in a second");
                return -EBUSY;
        }
        word = share_begin(route->share, &call->cost);
        if (word == SHARE_GOES)
                return 0;
        return word == SHARE_WAITS ? CALL_E_WAITS : refuse_limit(call, word, ret_fault);
}

/* The body as it may go out. */
static int begin_with_body(Call *call, const char *text, RequestFault *ret_fault) {
        const BodyText body = { .text = text,
                                .n = call->head.body,
                                .target = call->head.target,
                                .allowed = call->route->allowed };
        BodyFacts facts;
        int r;

        r = body_read(&body, &facts, ret_fault);
        if (r < 0) {
                route_refused(call->route, ret_fault->status, ret_fault->text);
                return r;
        }
        call->cost = (ShareCall){ .costs = request_generates(body.target),
                                  .prompt = prompt_of(&body, &facts),
                                  .most = facts.most,
                                  .price = &call->route->price };
        r = set_aside(call, ret_fault);
        if (r != 0)
                return r;
        facts.most = call->cost.most;
        r = body_pin(&body, &facts, call->route->model, &call->body);
        if (r < 0)
                request_fault(ret_fault, 503, "memory", "egress has no memory for this request");
        return r;
}

int call_begin(Call *call, const char *text, RequestFault *ret_fault) {
        call->cost = (ShareCall){ 0 };
        return request_has_body(call->head.target) ? begin_with_body(call, text, ret_fault)
                                                   : set_aside(call, ret_fault);
}

int call_send(Call *call, const TransferEvents *events, void *userdata, Error *err) {
        Upstream *upstream = &call->upstream;

        upstream_fill(upstream, call->route, &call->head, &call->body);
        upstream->spec.events = events;
        upstream->spec.userdata = userdata;
        return transfer_new(call->route->multi, call->route->event, &upstream->spec,
                            &call->transfer, err);
}

void call_end(Call *call, const TransferEnd *end) {
        Route *route = call->route;
        EgressEvent event = { .kind = EGRESS_CALL,
                              .code = (int32_t) end->status,
                              .id = route->id,
                              .calls = route->share->calls,
                              .tokens_in = end->tokens.in,
                              .tokens_out = end->tokens.out,
                              .tokens_cached = end->tokens.cached,
                              .money = money_cost(&route->price, &end->tokens),
                              .bytes_in = end->bytes_in,
                              .bytes_out = end->bytes_out,
                              .wall_usec = end->wall_usec,
                              .attempts = end->attempts,
                              .guessed = end->guessed,
                              .like = route->like };
        uint64_t tokens = end->tokens.in;

        money_add(&tokens, end->tokens.out);
        share_settle(route->share, &call->cost, tokens, event.money);
        (void) snprintf(event.text, sizeof(event.text), "%s",
                        end->text && !end->whole ? end->text : "");
        route->say(route->userdata, &event);
}

bool call_give_back(Call *call) {
        bool kept = call->cost.reserved > 0;

        share_settle(call->route->share, &call->cost, 0, 0);
        return kept;
}

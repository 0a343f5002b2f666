/*
 * transfer: an easy handle and what is known of its answer.
 *
 * The answer's state: nothing came (tries are free); its head came and it is held, because its status is
 * worth another try; or it is passed on, from where there is no way back: what breaks then breaks the
 * client's connection, and the client sends the whole request again.
 */
#include "supervisor/egress/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/retry.h"
#include "base/units.h"
#include "supervisor/egress/usage.h"

#define TIMEOUT_SECONDS 900L
#define CONNECT_SECONDS 10L
#define WAIT_ACCURACY   10000        /* of a wait before another try */
#define SOCKET_BYTES    (256 * 1024) /* of the kernel's, for what comes in */
#define BUFFER_BYTES    (16L * 1024) /* of libcurl's, each way */

struct Transfer {
        Multi *multi;               /* borrowed */
        sd_event *event;            /* borrowed */
        TransferSpec spec;          /* parts borrowed */
        CURL *easy;                 /* owned */
        struct curl_slist *headers; /* owned; wiped, it holds the key */
        sd_event_source *timer;     /* owned; a wait before another try */
        Buf held;
        Usage usage;
        bool passing;
        bool too_large;
        bool aborted; /* the client went away: what it had asked for was asked for all the same */
        unsigned tries;
        uint64_t bytes;
        size_t head_bytes; /* of all heads of this try */
        uint64_t began;
        char text[CURL_ERROR_SIZE];
};

/* LIMIT: libcurl's own copy in its send buffer is freed without being wiped; the process is undumpable. */
static void wipe_headers(struct curl_slist *headers) {
        for (struct curl_slist *at = headers; at; at = at->next)
                explicit_bzero(at->data, strlen(at->data));
        curl_slist_free_all(headers);
}

Transfer *transfer_free(Transfer *transfer) {
        if (transfer) {
                sd_event_source_disable_unref(transfer->timer);
                if (transfer->easy) {
                        multi_remove(transfer->multi, transfer->easy);
                        curl_easy_cleanup(transfer->easy);
                }
                wipe_headers(transfer->headers);
                buf_deinit(&transfer->held);
                usage_deinit(&transfer->usage);
        }
        free(transfer);
        return NULL;
}

static long status_of(const Transfer *transfer) {
        long status = 0;

        (void) curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
        return status;
}

static const char *header(const Transfer *transfer, const char *name) {
        struct curl_header *found = NULL;

        if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
                return NULL;
        return found->value;
}

/* Is a further try allowed and worth it, going by the status alone? Then its body is held. */
static bool is_held(const Transfer *transfer) {
        const char *should = header(transfer, "x-should-retry");

        if (transfer->tries >= TRANSFER_TRIES_MAX || (should && strcmp(should, "true") != 0))
                return false;
        return retry_status(status_of(transfer));
}

static void pass_head(Transfer *transfer, int64_t length) {
        TransferHead head = { .status = status_of(transfer),
                              .type = header(transfer, "content-type"),
                              .retry_after = header(transfer, "retry-after"),
                              .length = length };

        transfer->passing = true;
        transfer->spec.events->head(transfer->spec.userdata, &head);
}

static int64_t declared_length(const Transfer *transfer) {
        curl_off_t length = -1;

        (void) curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        return length;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *userdata) {
        Transfer *transfer = userdata;
        size_t n = size * count;
        int r;

        if (transfer->spec.bytes_max > 0 && transfer->bytes + n > transfer->spec.bytes_max) {
                transfer->too_large = true;
                return 0;
        }
        if (!transfer->passing && is_held(transfer)) {
                if (buf_append(&transfer->held, bytes, n) < 0)
                        return 0;
                transfer->bytes += n;
                return n;
        }
        if (!transfer->passing)
                pass_head(transfer, declared_length(transfer));
        r = transfer->spec.events->body(transfer->spec.userdata, bytes, n);
        if (r == 0)
                return CURL_WRITEFUNC_PAUSE;
        if (r < 0)
                return 0;
        transfer->bytes += n;
        usage_take(&transfer->usage, bytes, n);
        return n;
}

/* libcurl keeps all headers of an answer, however many. */
static size_t take_head(char *bytes, size_t size, size_t count, void *userdata) {
        Transfer *transfer = userdata;

        (void) bytes;
        transfer->head_bytes += size * count;
        if (transfer->head_bytes <= TRANSFER_HEAD_MAX)
                return size * count;
        transfer->too_large = true;
        return 0;
}

/* What comes in while the client does not read waits there, and the kernel would let it grow to several MiB. */
static int set_socket(void *userdata, curl_socket_t fd, curlsocktype purpose) {
        static const int most = SOCKET_BYTES;

        (void) userdata;
        (void) purpose;
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &most, sizeof(most));
        return CURL_SOCKOPT_OK;
}

static int add_header(Transfer *transfer, const char *line) {
        struct curl_slist *grown = curl_slist_append(transfer->headers, line);

        if (!grown)
                return -ENOMEM;
        transfer->headers = grown;
        return 0;
}

static int set_headers(Transfer *transfer) {
        int r = add_header(transfer, "Accept: application/json, text/event-stream");

        if (r >= 0)
                r = add_header(transfer, "Expect:");
        if (r >= 0 && transfer->spec.body)
                r = add_header(transfer, "Content-Type: application/json");
        for (unsigned i = 0; i < TRANSFER_HEADERS_MAX && r >= 0; i++)
                if (transfer->spec.headers[i])
                        r = add_header(transfer, transfer->spec.headers[i]);
        (void) curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
        return r;
}

static void set_body(Transfer *transfer) {
        if (!transfer->spec.body)
                return;
        (void) curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                (curl_off_t) transfer->spec.n_body);
        (void) curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, transfer->spec.body);
}

/*
 * No redirect: it would carry the key elsewhere. No proxy of the environment. Certificates are checked. No HTTP/2: over
 * one connection of several tasks, one that does not read would make the others wait, or libcurl keep 10 MiB for it.
 */
static void set_options(Transfer *transfer) {
        CURL *easy = transfer->easy;

        (void) curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
        (void) curl_easy_setopt(easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
        (void) curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        (void) curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
        (void) curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
        (void) curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, set_socket);
        (void) curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
        (void) curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
        (void) curl_easy_setopt(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
        (void) curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
        (void) curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(easy, CURLOPT_TIMEOUT, TIMEOUT_SECONDS);
        (void) curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
        (void) curl_easy_setopt(easy, CURLOPT_USERAGENT, "warder");
        (void) curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
        (void) curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
        (void) curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
        (void) curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->text);
}

static int send_once(Transfer *transfer, Error *err) {
        buf_deinit(&transfer->held);
        transfer->text[0] = '\0';
        transfer->bytes = transfer->head_bytes = 0;
        transfer->tries++;
        (void) curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT,
                                transfer->tries > 1 ? 1L : 0L);
        return multi_add(transfer->multi, transfer->easy, err);
}

int transfer_new(Multi *multi, sd_event *event, const TransferSpec *spec, Transfer **ret_transfer,
                 Error *err) {
        SCOPED(transfer_free) Transfer *transfer = calloc(1, sizeof(*transfer));
        int r;

        if (!transfer)
                return error_set(err, -ENOMEM, "request to the provider");
        *transfer = (Transfer){ .multi = multi,
                                .event = event,
                                .spec = *spec,
                                .held = BUF_EMPTY(TRANSFER_HELD_MAX),
                                .usage = USAGE_EMPTY,
                                .began = units_monotonic() };
        transfer->easy = curl_easy_init();
        if (!transfer->easy || set_headers(transfer) < 0)
                return error_set(err, -ENOMEM, "request to the provider");
        set_options(transfer);
        set_body(transfer);
        if (curl_easy_setopt(transfer->easy, CURLOPT_URL, spec->url) != CURLE_OK)
                return error_say(err, -EINVAL, "the route's base_url is no URL");
        r = send_once(transfer, err);
        if (r < 0)
                return r;
        *ret_transfer = TAKE_PTR(transfer);
        return 0;
}

void transfer_resume(Transfer *transfer) {
        (void) curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
}

/* Did the provider say all of it? What a request holds, Responses repeat: a "usage" among its tools is no word of his. */
static bool is_told(const Transfer *transfer, const TransferEnd *end) {
        const Usage *usage = &transfer->usage;

        if (!usage->found || end->whole)
                return usage->found;
        return transfer->spec.echoes ? usage->ended : !transfer->spec.grows;
}

/*
 * What it cost. A client that goes away before the end, or a provider that says nothing, or nothing but zeros, must not
 * make a call free: then the text itself is counted. What was cached, which costs less, has to be told in the end.
 */
static void count_tokens(Transfer *transfer, TransferEnd *end) {
        Usage *usage = &transfer->usage;
        bool asked = transfer->aborted || (end->status >= 200 && end->status < 300);
        uint64_t prompt = transfer->spec.n_body / USAGE_BYTES_PER_TOKEN, guess;
        bool told;

        usage_end(usage);
        end->tokens = (Tokens){ .in = usage->in, .written = usage->written, .out = usage->out };
        if (!transfer->spec.costs || !asked)
                return;
        told = is_told(transfer, end);
        guess = usage_guess(usage);
        if (usage->in == 0 || (!told && transfer->spec.echoes && usage->in < prompt))
                end->tokens.in = prompt > 0 ? prompt : 1;
        else if (told && usage->in > usage->fresh)
                end->tokens.cached = usage->in - usage->fresh;
        if ((!told || usage->out == 0) && guess > end->tokens.out)
                end->tokens.out = guess;
        end->guessed = end->tokens.in != usage->in || end->tokens.out != usage->out;
}

static void finish(Transfer *transfer, bool whole, const char *text) {
        TransferEnd end = { .status = status_of(transfer),
                            .whole = whole,
                            .attempts = transfer->tries,
                            .bytes_in = transfer->bytes,
                            .bytes_out = transfer->spec.n_body,
                            .wall_usec = units_monotonic() - transfer->began,
                            .text = text };

        count_tokens(transfer, &end);
        transfer->spec.events->end(transfer->spec.userdata, &end);
}

static int on_wait_over(sd_event_source *source, uint64_t usec, void *userdata) {
        Transfer *transfer = userdata;
        Error err = ERROR_EMPTY;

        (void) source;
        (void) usec;
        if (send_once(transfer, &err) < 0)
                finish(transfer, false, err.text);
        return 0;
}

static uint64_t wait_usec(const Transfer *transfer, CURLcode code) {
        const char *milliseconds = code == CURLE_OK ? header(transfer, "retry-after-ms") : NULL;
        const char *after = code == CURLE_OK ? header(transfer, "retry-after") : NULL;
        uint64_t usec;

        if (milliseconds && retry_after(milliseconds, 0, &usec) == 0)
                return usec / 1000;
        if (after && retry_after(after, units_now(), &usec) == 0)
                return usec;
        return retry_backoff(transfer->tries - 1);
}

/* Waits and sends again. False where no further try is to be made. */
static bool try_again(Transfer *transfer, CURLcode code) {
        const char *held = transfer->held.data ? transfer->held.data : "";
        uint64_t usec;

        if (transfer->passing || transfer->too_large || transfer->tries >= TRANSFER_TRIES_MAX)
                return false;
        if (code == CURLE_OK && (!is_held(transfer) || strstr(held, "\"insufficient_quota\"")))
                return false;
        if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_URL_MALFORMAT)
                return false;
        usec = wait_usec(transfer, code);
        if (usec > RETRY_WAIT_MAX_USEC)
                return false;
        transfer->timer = sd_event_source_disable_unref(transfer->timer);
        return sd_event_add_time_relative(transfer->event, &transfer->timer, CLOCK_MONOTONIC, usec,
                                          WAIT_ACCURACY, on_wait_over, transfer) >= 0;
}

/* The last answer, held until it was known to be the last. */
static bool pass_held(Transfer *transfer) {
        pass_head(transfer, (int64_t) transfer->held.len);
        if (transfer->held.len == 0)
                return true;
        return transfer->spec.events->body(transfer->spec.userdata, transfer->held.data,
                                           transfer->held.len) > 0;
}

void transfer_abort(Transfer *transfer, const char *why) {
        multi_remove(transfer->multi, transfer->easy);
        transfer->aborted = true;
        finish(transfer, false, why);
}

void transfer_ended(void *userdata, CURLcode code) {
        Transfer *transfer = userdata;

        if (try_again(transfer, code))
                return;
        if (transfer->too_large)
                finish(transfer, false, "the reply is above the task's limit");
        else if (code != CURLE_OK)
                finish(transfer, false,
                       *transfer->text ? transfer->text : curl_easy_strerror(code));
        else if (!transfer->passing)
                finish(transfer, pass_held(transfer), "the client went away");
        else
                finish(transfer, true, NULL);
}

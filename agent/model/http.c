/*
 * http: a libcurl easy handle for one request and its further tries. The connection is the multi handle's and
 * stays for the next request.
 *
 * How long to wait before another try: x-should-retry: false ends the tries (egress says so when it has
 * used its own); retry-after-ms, then Retry-After, then the back-off. A wait above RETRY_WAIT_MAX_USEC
 * is not waited: the last answer stands and its status names the end.
 */
#include "agent/model/http.h"

#include <stdio.h>
#include <string.h>

#include "base/retry.h"
#include "base/units.h"

struct Http {
        Loop *loop; /* borrowed */
        CURL *easy; /* owned */
        CurlTransfer transfer;
        struct curl_slist *headers; /* owned */
        char *sent;                 /* owned; body under way */
        Buf body;                   /* of the answer */
        bool too_large;
        long status;
        unsigned tries;
        HttpNoticeFn notice;
        void *userdata; /* borrowed */
};

static size_t take_body(char *bytes, size_t size, size_t n, void *userdata) {
        Http *http = userdata;

        if (buf_append(&http->body, bytes, size * n) < 0) {
                http->too_large = true;
                return 0;
        }
        return size * n;
}

Http *http_free(Http *http) {
        if (http) {
                if (http->easy) {
                        loop_remove(http->loop, &http->transfer);
                        curl_easy_cleanup(http->easy);
                }
                curl_slist_free_all(http->headers);
                free(http->sent);
                buf_deinit(&http->body);
        }
        free(http);
        return NULL;
}

/* Expect: would cost a round trip for each large request. */
static int set_headers(Http *http) {
        static const char *const lines[] = { "Content-Type: application/json",
                                             "Accept: application/json", "Expect:" };

        for (unsigned i = 0; i < ELEMENTS(lines); i++) {
                struct curl_slist *grown = curl_slist_append(http->headers, lines[i]);

                if (!grown)
                        return -ENOMEM;
                http->headers = grown;
        }
        return curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers) == CURLE_OK
                       ? 0
                       : -ENOMEM;
}

static void set_options(Http *http) {
        (void) curl_easy_setopt(http->easy, CURLOPT_PROTOCOLS_STR, "http");
        (void) curl_easy_setopt(http->easy, CURLOPT_PROXY, "");
        (void) curl_easy_setopt(http->easy, CURLOPT_FOLLOWLOCATION, 0L);
        (void) curl_easy_setopt(http->easy, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(http->easy, CURLOPT_TIMEOUT, HTTP_TIMEOUT_SECONDS);
        (void) curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT, HTTP_CONNECT_SECONDS);
        (void) curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, take_body);
        (void) curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, http);
}

int http_new(Loop *loop, const char *url, Http **ret_http, Error *err) {
        SCOPED(http_free) Http *http = calloc(1, sizeof(*http));
        int r;

        if (!http)
                return error_set(err, -ENOMEM, "model endpoint");
        r = loop_start_curl(loop, err);
        if (r < 0)
                return r;
        http->loop = loop;
        http->body = BUF_EMPTY(HTTP_REPLY_MAX);
        http->easy = curl_easy_init();
        if (!http->easy || set_headers(http) < 0)
                return error_set(err, -ENOMEM, "model endpoint");
        http->transfer.easy = http->easy;
        set_options(http);
        if (curl_easy_setopt(http->easy, CURLOPT_URL, url) != CURLE_OK)
                return error_say(err, -EINVAL, "%.200s is no URL", url);
        *ret_http = TAKE_PTR(http);
        return 0;
}

void http_on_notice(Http *http, HttpNoticeFn notice, void *userdata) {
        http->notice = notice;
        http->userdata = userdata;
}

static int send_once(Http *http, Error *err) {
        buf_deinit(&http->body);
        http->too_large = false;
        http->status = 0;
        http->tries++;
        /* on a connection that failed libcurl would send once more by itself, uncounted */
        (void) curl_easy_setopt(http->easy, CURLOPT_FRESH_CONNECT, http->tries > 1 ? 1L : 0L);
        return loop_add(http->loop, &http->transfer, err);
}

int http_start(Http *http, const char *body, size_t n, Error *err) {
        free(http->sent);
        http->sent = strndup(body, n);
        if (!http->sent)
                return error_set(err, -ENOMEM, "model request");
        (void) curl_easy_setopt(http->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) n);
        (void) curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, http->sent);
        http->tries = 0;
        return send_once(http, err);
}

static const char *header(const Http *http, const char *name) {
        struct curl_header *found = NULL;

        if (curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
                return NULL;
        return found->value;
}

/* A 429 that no wait mends: the account is out of money. */
static bool is_final(const Http *http) {
        const char *should = header(http, "x-should-retry");
        const char *body = http->body.data ? http->body.data : "";

        if (should && strcmp(should, "true") != 0)
                return true;
        return http->status == 429 && (strstr(body, "\"insufficient_quota\"") ||
                                       strstr(body, "\"credit_balance_exhausted\""));
}

static uint64_t wait_usec(const Http *http) {
        const char *milliseconds = header(http, "retry-after-ms");
        const char *after = header(http, "retry-after");
        uint64_t usec;

        if (milliseconds && retry_after(milliseconds, 0, &usec) == 0)
                return usec / 1000;
        if (after && retry_after(after, units_now(), &usec) == 0)
                return usec;
        return retry_backoff(http->tries - 1);
}

/* Is another try to be made, and after what time? */
static bool try_again(const Http *http, CURLcode code, uint64_t *ret_usec) {
        if (http->tries >= HTTP_TRIES_MAX || http->too_large)
                return false;
        if (code != CURLE_OK) {
                *ret_usec = retry_backoff(http->tries - 1);
                return true;
        }
        if (!retry_status(http->status) || is_final(http))
                return false;
        *ret_usec = wait_usec(http);
        return *ret_usec <= RETRY_WAIT_MAX_USEC;
}

static void tell(const Http *http, CURLcode code, uint64_t usec) {
        char text[256], wait[UNITS_TEXT_MAX], status[32];

        if (!http->notice)
                return;
        (void) snprintf(status, sizeof(status), "HTTP %ld", http->status);
        (void) snprintf(text, sizeof(text), "model: %s; try %u of %d in %s",
                        code == CURLE_OK ? status : curl_easy_strerror(code), http->tries + 1,
                        HTTP_TRIES_MAX, units_format_duration(usec, wait));
        http->notice(http->userdata, text);
}

static int give_up(const Http *http, CURLcode code, Error *err) {
        if (http->too_large)
                return error_say(err, -EMSGSIZE, "the model's reply is above %d bytes",
                                 HTTP_REPLY_MAX);
        return error_say(err, -EHOSTUNREACH,
                         "the model endpoint did not answer in %u tries; the last: %s", http->tries,
                         curl_easy_strerror(code));
}

int http_finish(Http *http, Error *err) {
        for (;;) {
                CURLcode code;
                uint64_t usec = 0;
                int r;

                r = loop_wait(http->loop, &http->transfer, err);
                if (r < 0)
                        return r;
                code = http->transfer.code;
                (void) curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &http->status);
                if (!try_again(http, code, &usec))
                        return code == CURLE_OK ? 0 : give_up(http, code, err);
                tell(http, code, usec);
                r = loop_sleep(http->loop, usec, err);
                if (r >= 0)
                        r = send_once(http, err);
                if (r < 0)
                        return r;
        }
}

long http_status(const Http *http) {
        return http->status;
}

const char *http_body(const Http *http, size_t *ret_n) {
        *ret_n = http->body.len;
        return http->body.data ? http->body.data : "";
}

unsigned http_tries(const Http *http) {
        return http->tries;
}

/*
 * rpc: see rpc.h.
 *
 * In: bytes gather in one buffer of a line and a chunk; lines are taken from its front by an offset, and
 * the rest moves down only once the offset has passed half of it, so that many short lines cost no more
 * than long ones. Descriptors gather in a queue; the kernel delivers them with the first byte of the
 * send that carried them, hence never after the line they belong to. A queue that is not empty when no
 * byte is left came with a message that did not ask for it: surplus, and the peer is closed.
 *
 * Out: a list of lines with their own duplicates of descriptors, sent with the line's first byte.
 */
#include "base/rpc.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/buf.h"

#define READ_CHUNK (64 * 1024)

typedef struct OutLine OutLine;
struct OutLine {
        OutLine *next; /* owned */
        char *text;    /* owned */
        size_t n, sent;
        int fds[RPC_FDS_PER_MESSAGE]; /* owned until the first byte has left */
        unsigned n_fds;
};

struct RpcPeer {
        int fd; /* owned */
        RpcDoor door;
        Buf in;
        size_t start;                /* of the line that is next, in @in */
        size_t scanned;              /* bytes from @start that hold no newline */
        int fds[RPC_FDS_QUEUED_MAX]; /* owned, oldest first */
        unsigned n_fds;
        OutLine *out; /* owned, oldest first */
        OutLine **out_end;
        size_t waiting;
};

void rpc_message_deinit(RpcMessage *message) {
        message->json = json_free(message->json);
        fds_close(message->fds, message->n_fds);
        message->n_fds = 0;
}

static OutLine *out_line_free(OutLine *line) {
        if (line)
                fds_close(line->fds, line->n_fds);
        if (line)
                free(line->text);
        free(line);
        return NULL;
}
DEFINE_SCOPED(OutLine *, out_line_free);

int rpc_peer_new_consume(int fd, RpcPeer **ret_peer) {
        autoclose int owned = fd;
        SCOPED(rpc_peer_free) RpcPeer *peer = calloc(1, sizeof(*peer));
        int r;

        if (!peer)
                return -ENOMEM;
        peer->fd = -EBADF;
        peer->in = BUF_EMPTY(RPC_LINE_MAX + READ_CHUNK);
        peer->out_end = &peer->out;
        r = fd_set_nonblock(owned, true);
        if (r < 0)
                return r;
        peer->fd = TAKE_FD(owned);
        *ret_peer = TAKE_PTR(peer);
        return 0;
}

RpcPeer *rpc_peer_free(RpcPeer *peer) {
        OutLine *line;

        if (!peer)
                return NULL;
        while ((line = peer->out)) {
                peer->out = line->next;
                (void) out_line_free(line);
        }
        fds_close(peer->fds, peer->n_fds);
        if (peer->door.close && peer->fd >= 0)
                peer->door.close(peer->door.userdata, peer->door.who, TAKE_FD(peer->fd));
        fds_close(&peer->fd, 1);
        buf_deinit(&peer->in);
        free(peer);
        return NULL;
}

void rpc_peer_set_door(RpcPeer *peer, const RpcDoor *door) {
        peer->door = *door;
}

int rpc_peer_fd(const RpcPeer *peer) {
        return peer->fd;
}

unsigned rpc_peer_events(const RpcPeer *peer) {
        return peer->out ? EPOLLIN | EPOLLOUT : EPOLLIN;
}

size_t rpc_peer_waiting(const RpcPeer *peer) {
        return peer->waiting;
}

static int queue_fds(RpcPeer *peer, int *fds, unsigned n_fds, Error *err) {
        if (n_fds > RPC_FDS_QUEUED_MAX - peer->n_fds) {
                fds_close(fds, n_fds);
                return error_say(err, -EPROTO, "the peer sent more than %d descriptors ahead",
                                 RPC_FDS_QUEUED_MAX);
        }
        memcpy(peer->fds + peer->n_fds, fds, sizeof(int) * n_fds);
        peer->n_fds += n_fds;
        return 0;
}

/* Lines that were taken leave the buffer. */
static void compact(RpcPeer *peer) {
        buf_drop(&peer->in, peer->start);
        peer->start = 0;
}

/* Room for the next chunk. What was taken counts only while there is plenty: a long line behind it needs all. */
static size_t make_room(RpcPeer *peer) {
        if (peer->in.max - peer->in.len < READ_CHUNK)
                compact(peer);
        return peer->in.max - peer->in.len;
}

/* One receive, each descriptor of which has passed the door, where there is one. */
static ssize_t receive(RpcPeer *peer, char *chunk, size_t n, int *fds, unsigned *n_fds) {
        const RpcDoor *door = &peer->door;
        ssize_t got = fds_recv_all(peer->fd, chunk, n, fds, n_fds);

        for (unsigned i = 0; door->admit && i < *n_fds; i++)
                fds[i] = door->admit(door->userdata, door->who, fds[i]);
        if (got < 0) {
                fds_close(fds, *n_fds);
                *n_fds = 0;
        }
        return got;
}

int rpc_peer_read(RpcPeer *peer, Error *err) {
        char chunk[READ_CHUNK];
        int fds[FDS_ROOM];
        unsigned n_fds = 0;
        size_t room = make_room(peer);
        ssize_t n;
        int r;

        if (room == 0)
                return 1; /* lines wait to be taken: rpc_peer_next() makes room or refuses */
        if (peer->door.is_open && !peer->door.is_open(peer->door.userdata, peer->door.who))
                return error_say(err, -EDQUOT,
                                 "descriptors that this user passed before cannot be closed: what "
                                 "serves their files does not answer; end it or unmount it first");
        n = receive(peer, chunk, room < sizeof(chunk) ? room : sizeof(chunk), fds, &n_fds);
        if (n == -EAGAIN)
                return 1;
        if (n < 0)
                return error_set(err, (int) n, "read from the peer");
        r = queue_fds(peer, fds, n_fds, err);
        if (r < 0)
                return r;
        if (n == 0)
                return 0;
        r = buf_append(&peer->in, chunk, (size_t) n);
        return r < 0 ? error_set(err, r, "keep what the peer sent") : 1;
}

/* Finds the next line; returns 1 with it (terminated, without its newline), 0, or -EPROTO. */
static int next_line(RpcPeer *peer, char **ret_line, size_t *ret_n, Error *err) {
        char *line = peer->in.data ? peer->in.data + peer->start : NULL;
        size_t n = peer->in.len - peer->start;
        char *end = NULL;

        if (line && n > peer->scanned)
                end = memchr(line + peer->scanned, '\n', n - peer->scanned);
        if ((end ? (size_t) (end - line) : n) > RPC_LINE_MAX)
                return error_say(err, -EPROTO, "a line is longer than %d bytes", RPC_LINE_MAX);
        if (!end) {
                peer->scanned = n;
                return 0;
        }
        *end = 0;
        *ret_line = line;
        *ret_n = (size_t) (end - line);
        return 1;
}

static void drop_line(RpcPeer *peer, size_t n) {
        peer->start += n + 1;
        peer->scanned = 0;
        if (peer->start * 2 >= peer->in.len)
                compact(peer);
}

/* Moves the descriptors that the message asks for out of the queue. */
static int take_fds(RpcPeer *peer, RpcMessage *message, Error *err) {
        uint64_t n = 0;
        int r = json_number(message->json, "fds", &n);

        if (r == -EINVAL || n > RPC_FDS_PER_MESSAGE)
                return error_say(err, -EPROTO, "\"fds\" must be a number of at most %d",
                                 RPC_FDS_PER_MESSAGE);
        if (n > peer->n_fds)
                return error_say(err, -EPROTO, "a message takes %u descriptors, %u came",
                                 (unsigned) n, peer->n_fds);
        memcpy(message->fds, peer->fds, sizeof(int) * n);
        message->n_fds = (unsigned) n;
        peer->n_fds -= (unsigned) n;
        memmove(peer->fds, peer->fds + n, sizeof(int) * peer->n_fds);
        cJSON_DeleteItemFromObjectCaseSensitive(message->json, "fds");
        return 0;
}

static bool is_id(const cJSON *id) {
        return !id || cJSON_IsString(id) || cJSON_IsNumber(id) || cJSON_IsNull(id);
}

/* Is it a request, a notification or an answer of JSON-RPC 2.0? */
static int check_form(const cJSON *json, Error *err) {
        const char *version = json_text(json, "jsonrpc");
        const cJSON *params = json_get(json, "params");

        if (!version || strcmp(version, "2.0") != 0)
                return error_say(err, RPC_INVALID, "\"jsonrpc\" must be \"2.0\"");
        if (!is_id(json_get(json, "id")))
                return error_say(err, RPC_INVALID, "\"id\" must be a string, a number or null");
        if (params && !cJSON_IsObject(params) && !cJSON_IsArray(params))
                return error_say(err, RPC_INVALID, "\"params\" must be an object or a list");
        if (!json_text(json, "method") && !json_get(json, "result") && !json_get(json, "error"))
                return error_say(err, RPC_INVALID, "neither a method nor an answer");
        return 0;
}

/* The line as a message; RPC_PARSE, RPC_INVALID and -EPROTO as rpc_peer_next(). */
static int read_message(RpcPeer *peer, const char *line, size_t n, RpcMessage *message,
                        Error *err) {
        int r = json_parse(line, n, 0, &message->json, err);

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return RPC_PARSE;
        if (!cJSON_IsObject(message->json))
                return error_say(err, RPC_INVALID,
                                 "a message must be an object; batches are not taken");
        r = take_fds(peer, message, err);
        return r < 0 ? r : check_form(message->json, err);
}

int rpc_peer_next(RpcPeer *peer, RpcMessage *ret_message, Error *err) {
        __attribute__((cleanup(rpc_message_deinit))) RpcMessage message = RPC_MESSAGE_EMPTY;
        char *line = NULL;
        size_t n = 0;
        int r = next_line(peer, &line, &n, err);

        if (r <= 0)
                return r;
        r = read_message(peer, line, n, &message, err);
        drop_line(peer, n);
        if (r == -EPROTO || r == -ENOMEM)
                return r;
        if (peer->n_fds > 0 && peer->in.len == peer->start)
                return error_say(err, -EPROTO, "%u descriptors came that no message takes",
                                 peer->n_fds);
        if (r < 0)
                return r;
        *ret_message = message;
        message = RPC_MESSAGE_EMPTY;
        return 1;
}

/* The text of the line, with "fds" spliced in as the first member. Fresh memory. */
static char *line_text(const cJSON *json, unsigned n_fds, size_t *ret_n) {
        autofree char *text = json_print(json);
        autobuf Buf line = BUF_EMPTY(RPC_OUT_MAX);
        int r;

        if (!text)
                return NULL;
        if (n_fds > 0 && text[0] == '{')
                r = buf_printf(&line, "{\"fds\":%u%s%s\n", n_fds, text[1] == '}' ? "" : ",",
                               text + 1);
        else
                r = buf_printf(&line, "%s\n", text);
        if (r < 0)
                return NULL;
        *ret_n = line.len;
        return buf_take(&line);
}

static int dup_fds(OutLine *line, const int *fds, unsigned n_fds) {
        for (; line->n_fds < n_fds; line->n_fds++) {
                int copy = fcntl(fds[line->n_fds], F_DUPFD_CLOEXEC, 3);

                if (copy < 0)
                        return -errno;
                line->fds[line->n_fds] = copy;
        }
        return 0;
}

int rpc_peer_send(RpcPeer *peer, const cJSON *json, const int *fds, unsigned n_fds) {
        SCOPED(out_line_free) OutLine *line = NULL;
        OutLine *queued;
        int r;

        if (n_fds > RPC_FDS_PER_MESSAGE)
                return -EINVAL;
        line = calloc(1, sizeof(*line));
        if (!line)
                return -ENOMEM;
        line->text = line_text(json, n_fds, &line->n);
        if (!line->text)
                return -ENOMEM;
        if (line->n > RPC_LINE_MAX + 1)
                return -EMSGSIZE;
        if (line->n > RPC_OUT_MAX - peer->waiting)
                return -ENOBUFS;
        r = dup_fds(line, fds, n_fds);
        if (r < 0)
                return r;
        queued = TAKE_PTR(line);
        peer->waiting += queued->n;
        *peer->out_end = queued;
        peer->out_end = &queued->next;
        return rpc_peer_flush(peer);
}

static void drop_out(RpcPeer *peer) {
        OutLine *line = peer->out;

        peer->out = line->next;
        if (!peer->out)
                peer->out_end = &peer->out;
        (void) out_line_free(line);
}

int rpc_peer_flush(RpcPeer *peer) {
        OutLine *line;
        ssize_t n;

        while ((line = peer->out)) {
                n = fds_send(peer->fd, line->text + line->sent, line->n - line->sent, line->fds,
                             line->n_fds);
                if (n == -EAGAIN)
                        return 0;
                if (n < 0)
                        return (int) n;
                fds_close(line->fds, line->n_fds);
                line->n_fds = 0;
                line->sent += (size_t) n;
                peer->waiting -= (size_t) n;
                if (line->sent == line->n)
                        drop_out(peer);
        }
        return 0;
}

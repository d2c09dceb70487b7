/* Everything that a caller can do wrong and that can be told: each must be answered by a code, and change nothing. */
#include <ikev2_scsi.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                                     \
    do {                                                                                                                     \
        if (!(condition)) {                                                                                                  \
            fprintf(stderr, "%s:%d: %s: failed, last error: %s\n", __FILE__, __LINE__, #condition, ikev2_scsi_error());       \
            exit(1);                                                                                                         \
        }                                                                                                                    \
        checks++;                                                                                                            \
    } while (0)
#define IS(result, call) CHECK((call) == IKEV2_SCSI_RESULT_##result)

static unsigned checks;
static const uint8_t CAPABILITIES[12] = {0xA2, 0x40, 0x01, 0x01, 0, 0, 0, 0, 0x40, 0, 0, 0};
static const uint8_t NAME[] = "drive-9";

static const char TOML[] = "own = { identity = { type = 'key_id', text = 'drive-9' }, preshared_key = { text = 'key' } }\n"
                           "[[peer]]\nidentity = { type = 'key_id', text = 'host-1' }\npreshared_key = { text = 'other' }\n";

static ikev2_scsi_builder *new_builder(void) {
    ikev2_scsi_builder *builder = NULL;
    IS(OK, ikev2_scsi_builder_from_toml(TOML, strlen(TOML), NULL, &builder));
    return builder;
}

static ikev2_scsi_server *new_server(void) {
    ikev2_scsi_server *server = NULL;
    IS(OK, ikev2_scsi_builder_build(new_builder(), &server));
    return server;
}

/* A device server that works answers the capabilities command. */
static void check_that_it_works(ikev2_scsi_server *server) {
    uint8_t in[1024];
    ikev2_scsi_reply reply;
    IS(OK, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, NULL, 0, in, sizeof in, 0, &reply));
    CHECK(reply.status == IKEV2_SCSI_STATUS_GOOD && reply.data_in_length > 16);
}

/* Every function that takes a handle answers so for this one, whatever its kind. */
static void check_bad_handle(void *handle, ikev2_scsi_result expected) {
    ikev2_scsi_server *server = handle, *made = NULL;
    ikev2_scsi_builder *builder = handle;
    ikev2_scsi_job *job = handle, *given = NULL;
    ikev2_scsi_reply reply;
    ikev2_scsi_sense sense;
    ikev2_scsi_event event;
    ikev2_scsi_sa_id id = {1, 2};
    ikev2_scsi_sa sa;
    uint64_t at = 0;
    size_t length = 0;
    int yes = 0;
    uint8_t b[12] = {0};
    const uint16_t usage = 0x81;
    const ikev2_scsi_esp_command command = {&usage, 1, 0, 0, 0};
    ikev2_scsi_esp_answer answer;
    ikev2_scsi_result results[] = {
        ikev2_scsi_server_open_data_out(server, b, 12, &command, 0, b, 12, &answer),
        ikev2_scsi_server_build_data_in(server, id, b, 1, &command, 0, b, 12, &answer),
        ikev2_scsi_server_execute(server, 0, b, 12, b, 12, b, 12, 0, &reply),
        ikev2_scsi_server_request_sense(server, 0, 0, &sense),
        ikev2_scsi_server_sense(server, 0, &sense),
        ikev2_scsi_server_descriptor_sense(server, 1),
        ikev2_scsi_server_sequence_in_progress(server, 0, 0, &yes),
        ikev2_scsi_server_next_deadline(server, &at, NULL),
        ikev2_scsi_server_expire(server, 1),
        ikev2_scsi_server_nexus_lost(server, 0),
        ikev2_scsi_server_reset(server),
        ikev2_scsi_server_set_unix_time(server, 0, 0),
        ikev2_scsi_server_set_capabilities(server, b, 1),
        ikev2_scsi_server_poll_event(server, &event, NULL, 0),
        ikev2_scsi_server_poll_job(server, &given),
        ikev2_scsi_server_complete(server, job, b, 12, 0, &reply),
        ikev2_scsi_server_sa(server, id, 0, &sa),
        ikev2_scsi_server_sa_bytes(server, id, 0, 0, b, 12, &length),
        ikev2_scsi_server_touch_sa(server, id, 0),
        ikev2_scsi_server_remove_sa(server, id),
        ikev2_scsi_server_list_sas(server, 0, &id, 1, &length),
        ikev2_scsi_job_run(job),
        ikev2_scsi_job_fail(job),
        ikev2_scsi_job_info(job, NULL, NULL),
        ikev2_scsi_builder_identity(builder, 11, b, 12),
        ikev2_scsi_builder_policy(builder, 0, 1),
        ikev2_scsi_builder_limit(builder, 0, 1),
        ikev2_scsi_builder_usage_type(builder, 1, 1),
        ikev2_scsi_builder_hide(builder, 1, 1),
        ikev2_scsi_builder_rsa_hash(builder, 1),
        ikev2_scsi_builder_other_protocol(builder, 1),
        ikev2_scsi_builder_fixed_capabilities(builder, b, 1),
        ikev2_scsi_builder_own_preshared_key(builder, b, 1),
        ikev2_scsi_builder_peer_preshared_key(builder, 11, b, 1, b, 1),
        ikev2_scsi_builder_preshared_keys(builder, NULL),
        ikev2_scsi_builder_signer(builder, NULL, NULL, 0, 0),
        ikev2_scsi_builder_private_key(builder, b, 1, 0, NULL, 0, 0),
        ikev2_scsi_builder_peer_public_key(builder, 11, b, 1, b, 1),
        ikev2_scsi_builder_trust_anchor(builder, b, 1),
        ikev2_scsi_builder_revocation_list(builder, b, 1),
        ikev2_scsi_builder_random(builder, NULL),
        ikev2_scsi_builder_clock(builder, NULL),
        ikev2_scsi_builder_key_log(builder, NULL),
        ikev2_scsi_builder_build(builder, &made),
    };
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        if (results[i] != expected) fprintf(stderr, "call %zu: %d, not %d\n", i, results[i], expected);
        CHECK(results[i] == expected);
    }
    CHECK(made == NULL && given == NULL && at == 0 && length == 0);
}

static void handles(void) {
    int local = 0;
    size_t open = ikev2_scsi_open_handles();
    check_bad_handle(NULL, IKEV2_SCSI_RESULT_NULL_POINTER);
    check_bad_handle(&local, IKEV2_SCSI_RESULT_INVALID_HANDLE);
    check_bad_handle((void *)1, IKEV2_SCSI_RESULT_INVALID_HANDLE);
    check_bad_handle((void *)UINTPTR_MAX, IKEV2_SCSI_RESULT_INVALID_HANDLE);
    IS(OK, ikev2_scsi_builder_free(NULL));
    IS(OK, ikev2_scsi_server_free(NULL));
    IS(OK, ikev2_scsi_job_free(NULL));

    ikev2_scsi_builder *builder = new_builder();
    IS(INVALID_HANDLE, ikev2_scsi_server_reset((ikev2_scsi_server *)builder));
    IS(INVALID_HANDLE, ikev2_scsi_server_free((ikev2_scsi_server *)builder));
    IS(INVALID_HANDLE, ikev2_scsi_job_free((ikev2_scsi_job *)builder));
    ikev2_scsi_server *server = NULL;
    IS(NULL_POINTER, ikev2_scsi_builder_build(builder, NULL));
    IS(OK, ikev2_scsi_builder_build(builder, &server));
    check_bad_handle(builder, IKEV2_SCSI_RESULT_INVALID_HANDLE);
    IS(INVALID_HANDLE, ikev2_scsi_builder_free(builder));
    IS(INVALID_HANDLE, ikev2_scsi_builder_free((ikev2_scsi_builder *)server));
    check_that_it_works(server);
    IS(OK, ikev2_scsi_server_free(server));
    IS(INVALID_HANDLE, ikev2_scsi_server_free(server));
    check_bad_handle(server, IKEV2_SCSI_RESULT_INVALID_HANDLE);
    builder = new_builder();
    IS(OK, ikev2_scsi_builder_free(builder));
    IS(INVALID_HANDLE, ikev2_scsi_builder_free(builder));
    CHECK(ikev2_scsi_open_handles() == open);
}

static void pointers(void) {
    ikev2_scsi_server *server = new_server();
    ikev2_scsi_builder *builder = new_builder();
    ikev2_scsi_reply reply;
    /* Room for a reply that is not aligned. */
    uint8_t room[sizeof reply + 8], in[64];
    void *crooked = room + 1 + ((uintptr_t)room & 1);
    memset(&reply, 0x5A, sizeof reply);
    ikev2_scsi_reply before = reply;
    IS(NULL_POINTER, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, NULL, 0, in, sizeof in, 0, NULL));
    IS(NULL_POINTER, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, NULL, 0, in, sizeof in, 0, crooked));
    IS(NULL_POINTER, ikev2_scsi_server_execute(server, 1, NULL, 12, NULL, 0, in, sizeof in, 0, &reply));
    IS(NULL_POINTER, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, NULL, 1, in, sizeof in, 0, &reply));
    IS(NULL_POINTER, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, NULL, 0, NULL, 1, 0, &reply));
    IS(INVALID_ARGUMENT, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 261, NULL, 0, in, sizeof in, 0, &reply));
    IS(INVALID_ARGUMENT, ikev2_scsi_server_execute(server, 1, CAPABILITIES, SIZE_MAX, NULL, 0, in, 64, 0, &reply));
    IS(INVALID_ARGUMENT, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, in, SIZE_MAX, in, 64, 0, &reply));
    IS(INVALID_ARGUMENT, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, NULL, 0, in, SIZE_MAX / 2 + 2, 0, &reply));
    /* So much that no machine has it. */
    IS(OUT_OF_MEMORY, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, in, SIZE_MAX / 4, in, 64, 0, &reply));
    CHECK(memcmp(&before, &reply, sizeof reply) == 0);
    /* No bytes at all, and CDBs of other lengths, are an initiator's errors. */
    IS(OK, ikev2_scsi_server_execute(server, 1, NULL, 0, NULL, 0, NULL, 0, 0, &reply));
    CHECK(reply.status == IKEV2_SCSI_STATUS_CHECK_CONDITION && reply.sense.length == 18);
    for (size_t length = 1; length < 12; length++) {
        IS(OK, ikev2_scsi_server_execute(server, 1, CAPABILITIES, length, NULL, 0, in, sizeof in, 0, &reply));
        CHECK(reply.status == IKEV2_SCSI_STATUS_CHECK_CONDITION);
    }
    /* Buffers may overlap, and be too short. */
    memcpy(in, CAPABILITIES, 12);
    IS(OK, ikev2_scsi_server_execute(server, 1, in, 12, in, 0, in, 5, 0, &reply));
    CHECK(reply.status == IKEV2_SCSI_STATUS_GOOD && reply.data_in_length == 5 && memcmp(in + 5, CAPABILITIES + 5, 7) == 0);

    size_t length = 7;
    ikev2_scsi_sa_id id = {1, 2};
    IS(NULL_POINTER, ikev2_scsi_server_sa(server, id, 0, NULL));
    IS(NULL_POINTER, ikev2_scsi_server_sa_bytes(server, id, 0, 0, in, 64, NULL));
    IS(NULL_POINTER, ikev2_scsi_server_sa_bytes(server, id, 0, 0, NULL, 64, &length));
    IS(INVALID_ARGUMENT, ikev2_scsi_server_sa_bytes(server, id, 0, 99, in, 64, &length));
    IS(NONE, ikev2_scsi_server_sa_bytes(server, id, 0, IKEV2_SCSI_SA_BYTES_SK_EI, in, 64, &length));
    IS(NONE, ikev2_scsi_server_touch_sa(server, id, 0));
    IS(NONE, ikev2_scsi_server_remove_sa(server, id));
    CHECK(length == 7);
    IS(NULL_POINTER, ikev2_scsi_server_list_sas(server, 0, NULL, 1, &length));
    IS(INVALID_ARGUMENT, ikev2_scsi_server_list_sas(server, 0, &id, SIZE_MAX / 8, &length));
    IS(OK, ikev2_scsi_server_list_sas(server, 0, NULL, 0, &length));
    CHECK(length == 0);
    IS(NULL_POINTER, ikev2_scsi_server_poll_event(server, NULL, NULL, 0));
    IS(NULL_POINTER, ikev2_scsi_server_next_deadline(server, NULL, NULL));
    IS(NULL_POINTER, ikev2_scsi_server_request_sense(server, 0, 0, NULL));
    IS(NULL_POINTER, ikev2_scsi_server_poll_job(server, NULL));
    IS(NULL_POINTER, ikev2_scsi_server_set_capabilities(server, NULL, 1));
    IS(INVALID_ARGUMENT, ikev2_scsi_server_set_capabilities(server, in, SIZE_MAX));
    IS(CONFIGURATION, ikev2_scsi_server_set_capabilities(server, NULL, 0));
    check_that_it_works(server);

    IS(NULL_POINTER, ikev2_scsi_builder_identity(builder, 11, NULL, 5));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_identity(builder, 11, NULL, 0));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_identity(builder, 1, NAME, 7));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_trust_anchor(builder, in, SIZE_MAX));
    IS(NULL_POINTER, ikev2_scsi_builder_random(builder, (const void *)((uintptr_t)crooked | 1)));
    IS(OK, ikev2_scsi_builder_free(builder));
    IS(OK, ikev2_scsi_server_free(server));
}

static void texts(void) {
    ikev2_scsi_builder *builder = NULL;
    static const char with_nul[] = "profile = 'r3'\0own = 5";
    IS(CONFIGURATION, ikev2_scsi_builder_from_toml(with_nul, sizeof with_nul - 1, NULL, &builder));
    IS(CONFIGURATION, ikev2_scsi_builder_from_json("{}", 2, NULL, &builder));
    IS(CONFIGURATION, ikev2_scsi_builder_from_json(NULL, 0, NULL, &builder));
    IS(NULL_POINTER, ikev2_scsi_builder_from_json(NULL, 1, NULL, &builder));
    IS(NULL_POINTER, ikev2_scsi_builder_from_toml(TOML, strlen(TOML), NULL, NULL));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_from_toml("\xFF", 1, NULL, &builder));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_from_toml(TOML, SIZE_MAX, NULL, &builder));
    IS(NULL_POINTER, ikev2_scsi_builder_from_file(NULL, &builder));
    IS(CONFIGURATION, ikev2_scsi_builder_from_file("", &builder));
    IS(CONFIGURATION, ikev2_scsi_builder_from_file("no such file \xFF", &builder));
    CHECK(strstr(ikev2_scsi_error(), "no such file") != NULL);
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_new(2, &builder));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_new(UINT32_MAX, &builder));
    CHECK(builder == NULL && strlen(ikev2_scsi_error()) > 0);
    /* A name in a configuration is told, and a NUL in it does not end the message. */
    static const char member[] = "{\"col\\u0000our\": 1}";
    IS(CONFIGURATION, ikev2_scsi_builder_from_json(member, sizeof member - 1, NULL, &builder));
    CHECK(strstr(ikev2_scsi_error(), "expected one of") != NULL);
    for (uint32_t code = 0; code < 12; code++) CHECK(strlen(ikev2_scsi_result_text(code)) > 0);
    CHECK(strcmp(ikev2_scsi_result_text(UINT32_MAX), "unknown code") == 0 && strlen(ikev2_scsi_version()) >= 5);
}

static void configurations(void) {
    ikev2_scsi_builder *builder = new_builder();
    ikev2_scsi_server *server = NULL;
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_policy(builder, 16, 0));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_policy(builder, UINT32_MAX, 0));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_OFFLOAD, 2));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_MAX_PROTOCOL_TIMEOUT, UINT64_MAX));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_policy(builder, IKEV2_SCSI_POLICY_REVOCATION, 3));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_limit(builder, 11, 0));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_limit(builder, IKEV2_SCSI_LIMIT_AUTH_FAILURES, 256));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_hide(builder, 0, 0));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_rsa_hash(builder, 5));
    IS(CONFIGURATION, ikev2_scsi_builder_own_preshared_key(builder, NULL, 0));
    IS(CONFIGURATION, ikev2_scsi_builder_peer_public_key(builder, 11, NAME, 7, NAME, 7));
    IS(CONFIGURATION, ikev2_scsi_builder_trust_anchor(builder, NAME, 7));
    IS(CONFIGURATION, ikev2_scsi_builder_private_key(builder, NAME, 7, 0, NULL, 0, 0));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_private_key(builder, NAME, 7, 9, NULL, 0, 0));
    /* What was refused has left nothing. */
    IS(OK, ikev2_scsi_builder_build(builder, &server));
    check_that_it_works(server);
    IS(OK, ikev2_scsi_server_free(server));
    server = NULL;

    IS(OK, ikev2_scsi_builder_new(IKEV2_SCSI_DIALECT_R3, &builder));
    IS(CONFIGURATION, ikev2_scsi_builder_build(builder, &server));
    CHECK(server == NULL && strstr(ikev2_scsi_error(), "identity") != NULL);
    IS(INVALID_HANDLE, ikev2_scsi_builder_free(builder));
    builder = new_builder();
    IS(OK, ikev2_scsi_builder_limit(builder, IKEV2_SCSI_LIMIT_SAS, 0));
    IS(CONFIGURATION, ikev2_scsi_builder_build(builder, &server));
    /* A parameter list as long as can be said takes no memory before it is there. */
    builder = new_builder();
    IS(OK, ikev2_scsi_builder_limit(builder, IKEV2_SCSI_LIMIT_PARAMETER_LIST, UINT32_MAX));
    IS(OK, ikev2_scsi_builder_build(builder, &server));
    check_that_it_works(server);
    IS(OK, ikev2_scsi_server_free(server));
    builder = new_builder();
    IS(OK, ikev2_scsi_builder_revocation_list(builder, NAME, 7));
    IS(CONFIGURATION, ikev2_scsi_builder_build(builder, &server));
}

typedef struct caller {
    ikev2_scsi_server *server;
    unsigned calls, freed;
    int answer;
    pthread_barrier_t *barrier;
} caller;

static void released(void *user) { ((caller *)user)->freed++; }

/* A callback that calls the device server which calls it. */
static int reenter(void *user, uint64_t *seconds) {
    caller *c = user;
    c->calls++;
    if (c->server != NULL) {
        ikev2_scsi_reply reply;
        IS(BUSY, ikev2_scsi_server_execute(c->server, 1, CAPABILITIES, 12, NULL, 0, NULL, 0, 0, &reply));
        IS(BUSY, ikev2_scsi_server_reset(c->server));
        /* Others it may use; and its own it may free, which then goes when the call has ended. */
        ikev2_scsi_server *other = new_server();
        check_that_it_works(other);
        IS(OK, ikev2_scsi_server_free(other));
        IS(OK, ikev2_scsi_server_free(c->server));
        IS(INVALID_HANDLE, ikev2_scsi_server_free(c->server));
        CHECK(c->freed == 0);
        c->server = NULL;
    }
    *seconds = 1;
    return c->answer;
}

static int wait_for_the_other(void *user, uint64_t *seconds) {
    caller *c = user;
    (void)seconds;
    if (c->calls++ == 0) {
        pthread_barrier_wait(c->barrier);
        pthread_barrier_wait(c->barrier);
    }
    return 1;
}

static void *execute_once(void *user) {
    check_that_it_works(((caller *)user)->server);
    return NULL;
}

static int no_random(void *user, uint32_t purpose, uint8_t *out, size_t length) {
    (void)purpose, (void)out, (void)length;
    ((caller *)user)->calls++;
    return -1;
}

static int no_signature(void *user, const ikev2_scsi_bytes *parts, size_t count, uint8_t *signature, size_t length) {
    (void)user, (void)parts, (void)count, (void)signature, (void)length;
    return 1;
}

static void callbacks(void) {
    caller c = {NULL, 0, 0, 0, NULL};
    ikev2_scsi_builder *builder = new_builder();
    ikev2_scsi_clock_callbacks clock = {&c, reenter, released};
    ikev2_scsi_clock_callbacks no_clock = {&c, NULL, released};
    ikev2_scsi_random_callbacks random = {&c, no_random, NULL, released}, none = {&c, NULL, NULL, released};
    ikev2_scsi_preshared_key_callbacks no_keys = {&c, NULL, NULL, released};
    ikev2_scsi_key_log_callbacks no_log = {&c, NULL, released};
    IS(NULL_POINTER, ikev2_scsi_builder_clock(builder, &no_clock));
    IS(NULL_POINTER, ikev2_scsi_builder_random(builder, &none));
    IS(NULL_POINTER, ikev2_scsi_builder_preshared_keys(builder, &no_keys));
    IS(NULL_POINTER, ikev2_scsi_builder_key_log(builder, &no_log));
    IS(NULL_POINTER, ikev2_scsi_builder_clock(builder, NULL));
    /* Keys whose signatures cannot be. */
    uint8_t point[65] = {4};
    ikev2_scsi_signer_callbacks key = {&c, IKEV2_SCSI_KEY_KIND_P256, 0, {point, 65}, 64, no_signature, released};
    ikev2_scsi_signer_callbacks wrong = key;
    wrong.sign = NULL;
    IS(NULL_POINTER, ikev2_scsi_builder_signer(builder, &wrong, NULL, 0, 0));
    wrong = key, wrong.kind = 4;
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_signer(builder, &wrong, NULL, 0, 0));
    wrong = key, wrong.hash = IKEV2_SCSI_HASH_SHA1;
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_signer(builder, &wrong, NULL, 0, 0));
    wrong = key, wrong.signature_length = 63;
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_signer(builder, &wrong, NULL, 0, 0));
    wrong = key, wrong.public_key.length = 64;
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_signer(builder, &wrong, NULL, 0, 0));
    wrong = key, wrong.public_key.data = NULL;
    IS(NULL_POINTER, ikev2_scsi_builder_signer(builder, &wrong, NULL, 0, 0));
    wrong = key, wrong.kind = IKEV2_SCSI_KEY_KIND_RSA, wrong.signature_length = SIZE_MAX;
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_signer(builder, &wrong, NULL, 0, 0));
    IS(INVALID_ARGUMENT, ikev2_scsi_builder_signer(builder, &key, NULL, 0, 4));
    IS(NULL_POINTER, ikev2_scsi_builder_signer(builder, &key, NULL, 1, 0));
    ikev2_scsi_bytes nowhere = {NULL, 5};
    IS(NULL_POINTER, ikev2_scsi_builder_signer(builder, &key, &nowhere, 1, 0));
    CHECK(c.freed == 0);
    IS(OK, ikev2_scsi_builder_signer(builder, &key, NULL, 0, 0));
    IS(OK, ikev2_scsi_builder_free(builder));
    CHECK(c.freed == 1);

    /* Callbacks that are replaced are released. */
    builder = new_builder();
    IS(OK, ikev2_scsi_builder_random(builder, &random));
    IS(OK, ikev2_scsi_builder_random(builder, &random));
    CHECK(c.freed == 2);
    IS(OK, ikev2_scsi_builder_clock(builder, &clock));
    c.freed = 0;
    IS(OK, ikev2_scsi_builder_build(builder, &c.server));
    ikev2_scsi_server *gone = c.server;
    uint8_t in[64];
    ikev2_scsi_reply reply;
    IS(OK, ikev2_scsi_server_execute(c.server, 1, CAPABILITIES, 12, NULL, 0, in, 64, 0, &reply));
    CHECK(c.calls == 1 && c.freed == 2 && reply.data_in_length == 64);
    IS(INVALID_HANDLE, ikev2_scsi_server_reset(gone));

    /* Two threads. */
    pthread_barrier_t barrier;
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    c = (caller){NULL, 0, 0, 0, &barrier};
    clock.unix_time = wait_for_the_other;
    builder = new_builder();
    IS(OK, ikev2_scsi_builder_clock(builder, &clock));
    IS(OK, ikev2_scsi_builder_build(builder, &c.server));
    CHECK(pthread_create(&thread, NULL, execute_once, &c) == 0);
    pthread_barrier_wait(&barrier);
    IS(BUSY, ikev2_scsi_server_execute(c.server, 1, CAPABILITIES, 12, NULL, 0, in, 64, 0, &reply));
    IS(BUSY, ikev2_scsi_server_expire(c.server, 5));
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
    check_that_it_works(c.server);
    IS(OK, ikev2_scsi_server_free(c.server));
    CHECK(c.freed == 1);
    pthread_barrier_destroy(&barrier);
}

static uint64_t state = 0x9E3779B97F4A7C15u;

static uint32_t draw(uint32_t below) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

static void free_whatever_it_is(void *handle) {
    ikev2_scsi_builder_free(handle);
    ikev2_scsi_server_free(handle);
    ikev2_scsi_job_free(handle);
}

/* Calls in no order, on handles that are good, freed or of another kind. Nothing must break; OK is not asked for. */
static void storm(unsigned rounds) {
    void *pool[16] = {NULL};
    uint8_t bytes[600];
    ikev2_scsi_reply reply;
    ikev2_scsi_event event;
    ikev2_scsi_sa_id id = {256, 257};
    char text[40];
    size_t count;
    for (unsigned i = 0; i < rounds; i++) {
        void *any = pool[draw(16)], **place = &pool[draw(16)], *was = *place;
        for (size_t k = 0; k < sizeof bytes; k++) bytes[k] = (uint8_t)draw(256);
        size_t length = draw(sizeof bytes + 1);
        if (draw(2)) memcpy(bytes, CAPABILITIES, 12);
        if (draw(3) == 0) bytes[0] = 0xB5, bytes[1] = 0x41, bytes[3] = (uint8_t)draw(8);
        switch (draw(24)) {
        case 0: ikev2_scsi_builder_new(draw(3), (ikev2_scsi_builder **)place); break;
        case 1: ikev2_scsi_builder_from_toml(TOML, strlen(TOML), NULL, (ikev2_scsi_builder **)place); break;
        case 2: ikev2_scsi_builder_from_toml((char *)bytes, length, NULL, (ikev2_scsi_builder **)place); break;
        case 3: ikev2_scsi_builder_build(any, (ikev2_scsi_server **)place); break;
        case 4: ikev2_scsi_builder_free(any); break;
        case 5: ikev2_scsi_server_free(any); break;
        case 6: ikev2_scsi_job_free(any); break;
        case 7: ikev2_scsi_builder_policy(any, draw(20), draw(3)); break;
        case 8: ikev2_scsi_builder_limit(any, draw(12), draw(100000)); break;
        case 9: ikev2_scsi_builder_own_preshared_key(any, bytes, length); break;
        case 10: ikev2_scsi_builder_private_key(any, bytes, length, draw(6), NULL, 0, draw(5)); break;
        case 11: ikev2_scsi_builder_trust_anchor(any, bytes, length); break;
        case 12: ikev2_scsi_builder_fixed_capabilities(any, bytes, length / 12); break;
        case 13: ikev2_scsi_server_poll_job(any, (ikev2_scsi_job **)place); break;
        case 14: ikev2_scsi_job_run(any); break;
        case 15: ikev2_scsi_server_complete(any, *place, bytes, length, i, &reply); break;
        case 16: ikev2_scsi_server_poll_event(any, &event, text, draw(41)); break;
        case 17: ikev2_scsi_server_list_sas(any, i, &id, draw(2), &count); break;
        case 18: ikev2_scsi_server_set_capabilities(any, bytes, length / 12); break;
        case 19: ikev2_scsi_server_nexus_lost(any, draw(4)); break;
        case 20: ikev2_scsi_builder_peer_public_key(any, draw(14), bytes, draw(9), bytes, length); break;
        default: ikev2_scsi_server_execute(any, draw(4), bytes, 12, bytes, length, bytes, length, i, &reply);
        }
        if (*place != was) free_whatever_it_is(was);
    }
    for (int i = 0; i < 16; i++) free_whatever_it_is(pool[i]);
}

/* For valgrind, which must find it: a device server that nobody frees, or a Data-In buffer that is shorter than it says. */
static int do_wrong(const char *what) {
    ikev2_scsi_reply reply;
    uint8_t *in = malloc(16);
    ikev2_scsi_server *server = new_server();
    size_t length = strcmp(what, "overrun") == 0 ? 64 : 16;
    IS(OK, ikev2_scsi_server_execute(server, 1, CAPABILITIES, 12, NULL, 0, in, length, 0, &reply));
    free(in);
    if (strcmp(what, "leak") != 0) ikev2_scsi_server_free(server);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 1 && strtoul(argv[1], NULL, 10) == 0) return do_wrong(argv[1]);
    handles();
    pointers();
    texts();
    configurations();
    callbacks();
    CHECK(ikev2_scsi_open_handles() == 0);
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100000;
    storm(rounds);
    CHECK(ikev2_scsi_open_handles() == 0);
    printf("%u checks of misuse, and %u random calls\n", checks, rounds);
    return 0;
}

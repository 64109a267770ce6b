/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copyright the hotbay authors */

/*
 * One byte at a time, with these states:
 *
 *            { [ or a letter, digit, sign            "  or  '
 *   BETWEEN ------------------------------> VALUE ------------> STRING <---> ESCAPE ---> UNICODE
 *      ^   <------------------------------        <------------         \                (4 hex)
 *      |     the last bracket, or an atom's end     the same quote
 *      |
 *      |  any other byte        end of line, control character, 0xfe, 0xff
 *   QUIET <------------- SKIP <-------- (error in any state)
 *
 * An error throws the value away and resumes at the next line. Lines are what people type and what
 * scripts send; 0xff, which no UTF-8 text has, is how QEMU's clients resynchronise on purpose.
 * QUIET keeps a run of such bytes from being a run of errors.
 *
 * Between quotes everything but escapes and control characters is taken as it comes. Outside, a
 * value is brackets, commas, colons, blanks and atoms; atoms are checked here because json-glib
 * takes hexadecimal and octal numbers and lets those out of range wrap. It also cuts strings at an
 * escaped NUL, which would make "quit\u0000x" a "quit", so that escape is refused.
 *
 * Strings in single quotes are no JSON, but QEMU takes them and people type them in a shell. They
 * are rewritten.
 */

#include "vmm/json-scanner.h"

#include <math.h>
#include <string.h>

typedef enum State {
	STATE_BETWEEN,
	STATE_VALUE,
	STATE_STRING,
	STATE_ESCAPE,
	STATE_UNICODE,
	STATE_SKIP,
	STATE_QUIET,
} State;

struct HbJsonScanner {
	State state;
	GString *text;	      /* the value so far */
	GString *error;	      /* the last error */
	gsize atom_start;     /* in @text, of the number or literal that is being read */
	gboolean in_atom;     /* whether there is one */
	gboolean blamed;      /* @error says what is wrong with this value, which has not ended */
	char quote;	      /* what ends the string */
	guint unicode_digits; /* of \uXXXX: read so far */
	guint unicode_value;  /* of \uXXXX */
	guint nesting;	      /* brackets open */
	char closers[HB_JSON_SCANNER_MAX_NESTING]; /* what closes each of them */
};

/* What one byte did. */
typedef enum Step {
	STEP_MORE,
	STEP_VALUE,
	STEP_VALUE_BEFORE, /* a value has ended, and this byte is still to be looked at */
	STEP_ERROR,
} Step;

HbJsonScanner *hb_json_scanner_create(void)
{
	HbJsonScanner *scanner = g_new0(HbJsonScanner, 1);

	scanner->text = g_string_new(NULL);
	scanner->error = g_string_new(NULL);
	return scanner;
}

void hb_json_scanner_destroy(HbJsonScanner *scanner)
{
	if (!scanner)
		return;
	g_string_free(scanner->text, TRUE);
	g_string_free(scanner->error, TRUE);
	g_free(scanner);
}

static gboolean is_blank(guint8 byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/* Where to resume after an error. */
static gboolean is_boundary(guint8 byte)
{
	return (byte < 0x20 && byte != '\t') || byte >= 0xfe;
}

static gboolean is_atom(guint8 byte)
{
	return g_ascii_isalnum((char)byte) || byte == '+' || byte == '-' || byte == '.';
}

static Step G_GNUC_PRINTF(3, 4) fail(HbJsonScanner *scanner, guint8 byte, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	g_string_vprintf(scanner->error, format, arguments);
	va_end(arguments);
	/* Not truncated but freed: after an overlong value the client keeps no megabyte. */
	g_string_free(scanner->text, TRUE);
	scanner->text = g_string_new(NULL);
	scanner->in_atom = FALSE;
	scanner->blamed = FALSE;
	scanner->nesting = 0;
	scanner->state = is_boundary(byte) ? STATE_QUIET : STATE_SKIP;
	return STEP_ERROR;
}

/* Something is wrong inside the value, but not with where it ends: read on, refuse it as a whole.
 */
static void blame(HbJsonScanner *scanner, const char *blemish)
{
	if (!scanner->blamed)
		g_string_assign(scanner->error, blemish);
	scanner->blamed = TRUE;
}

static Step fail_at(HbJsonScanner *scanner, guint8 byte)
{
	if (g_ascii_isgraph((char)byte))
		return fail(scanner, byte, "stray '%c'", byte);
	return fail(scanner, byte, "stray byte 0x%02x", byte);
}

static const char *skip_digits(const char *text)
{
	while (g_ascii_isdigit(*text))
		text++;
	return text;
}

/* RFC 8259 §6; @is_integer says whether it has neither fraction nor exponent. */
static gboolean is_number(const char *text, gboolean *is_integer)
{
	text += *text == '-';
	if (!g_ascii_isdigit(*text))
		return FALSE;
	text = *text == '0' ? text + 1 : skip_digits(text);
	*is_integer = *text == '\0';
	if (*text == '.') {
		if (!g_ascii_isdigit(*++text))
			return FALSE;
		text = skip_digits(text);
	}
	if (*text == 'e' || *text == 'E') {
		text++;
		text += *text == '+' || *text == '-';
		if (!g_ascii_isdigit(*text))
			return FALSE;
		text = skip_digits(text);
	}
	return *text == '\0';
}

/* NULL if it is fine. */
static char *judge_atom(const char *atom)
{
	gboolean is_integer;

	if (strcmp(atom, "true") == 0 || strcmp(atom, "false") == 0 || strcmp(atom, "null") == 0)
		return NULL;
	if (!is_number(atom, &is_integer))
		return g_strdup_printf("'%.40s' is neither a number nor true, false or null", atom);
	if (is_integer ? !g_ascii_string_to_signed(atom, 10, G_MININT64, G_MAXINT64, NULL, NULL)
		       : !isfinite(g_ascii_strtod(atom, NULL)))
		return g_strdup_printf("number '%.40s' is out of range", atom);
	return NULL;
}

static Step end_atom(HbJsonScanner *scanner, guint8 byte)
{
	g_autofree char *blemish = judge_atom(scanner->text->str + scanner->atom_start);

	scanner->in_atom = FALSE;
	if (!blemish)
		return STEP_MORE;
	if (scanner->nesting == 0)
		return fail(scanner, byte, "%s", blemish);
	blame(scanner, blemish);
	return STEP_MORE;
}

static Step open_bracket(HbJsonScanner *scanner, guint8 byte)
{
	if (scanner->nesting == HB_JSON_SCANNER_MAX_NESTING)
		return fail(scanner, byte, "nested deeper than %d levels",
			    HB_JSON_SCANNER_MAX_NESTING);
	scanner->closers[scanner->nesting++] = byte == '{' ? '}' : ']';
	g_string_append_c(scanner->text, (char)byte);
	return STEP_MORE;
}

static Step close_bracket(HbJsonScanner *scanner, guint8 byte)
{
	if (scanner->nesting == 0 || scanner->closers[scanner->nesting - 1] != (char)byte)
		return fail_at(scanner, byte);
	g_string_append_c(scanner->text, (char)byte);
	return --scanner->nesting ? STEP_MORE : STEP_VALUE;
}

static Step step_value(HbJsonScanner *scanner, guint8 byte)
{
	if (is_atom(byte)) {
		if (!scanner->in_atom)
			scanner->atom_start = scanner->text->len;
		scanner->in_atom = TRUE;
		g_string_append_c(scanner->text, (char)byte);
		return STEP_MORE;
	}
	if (scanner->in_atom) {
		if (end_atom(scanner, byte) == STEP_ERROR)
			return STEP_ERROR;
		if (scanner->nesting == 0)
			return STEP_VALUE_BEFORE;
	}

	switch (byte) {
	case '{':
	case '[':
		return open_bracket(scanner, byte);
	case '}':
	case ']':
		return close_bracket(scanner, byte);
	case '"':
	case '\'':
		scanner->quote = (char)byte;
		scanner->state = STATE_STRING;
		g_string_append_c(scanner->text, '"');
		return STEP_MORE;
	default:
		if (!is_blank(byte) && (scanner->nesting == 0 || (byte != ',' && byte != ':')))
			return fail_at(scanner, byte);
		g_string_append_c(scanner->text, (char)byte);
		return STEP_MORE;
	}
}

static Step step_between(HbJsonScanner *scanner, guint8 byte)
{
	if (is_blank(byte))
		return STEP_MORE;
	g_string_truncate(scanner->text, 0);
	scanner->state = STATE_VALUE;
	return step_value(scanner, byte);
}

static Step step_string(HbJsonScanner *scanner, guint8 byte)
{
	if (byte < 0x20)
		return fail(scanner, byte, "control character 0x%02x in a string", byte);
	if (byte == '\\') {
		scanner->state = STATE_ESCAPE;
		return STEP_MORE;
	}
	if ((char)byte == scanner->quote) {
		g_string_append_c(scanner->text, '"');
		scanner->state = STATE_VALUE;
		return scanner->nesting ? STEP_MORE : STEP_VALUE;
	}
	if (byte == '"')
		g_string_append_c(scanner->text, '\\');
	g_string_append_c(scanner->text, (char)byte);
	return STEP_MORE;
}

static Step step_escape(HbJsonScanner *scanner, guint8 byte)
{
	if (byte < 0x20)
		return fail(scanner, byte, "control character 0x%02x in a string", byte);
	scanner->state = byte == 'u' ? STATE_UNICODE : STATE_STRING;
	scanner->unicode_digits = 0;
	scanner->unicode_value = 0;
	if (!strchr("\"\\/bfnrtu'", byte))
		blame(scanner, "unknown escape in a string");
	if (byte != '\'')
		g_string_append_c(scanner->text, '\\');
	g_string_append_c(scanner->text, (char)byte);
	return STEP_MORE;
}

static Step step_unicode(HbJsonScanner *scanner, guint8 byte)
{
	if (!g_ascii_isxdigit((char)byte)) {
		blame(scanner, "\\u in a string wants four hexadecimal digits");
		scanner->state = STATE_STRING;
		return step_string(scanner, byte);
	}
	g_string_append_c(scanner->text, (char)byte);
	scanner->unicode_value =
		scanner->unicode_value * 16 + (guint)g_ascii_xdigit_value((char)byte);
	if (++scanner->unicode_digits < 4)
		return STEP_MORE;
	if (scanner->unicode_value == 0)
		blame(scanner, "\\u0000 in a string is not supported");
	scanner->state = STATE_STRING;
	return STEP_MORE;
}

static Step step(HbJsonScanner *scanner, guint8 byte)
{
	if (scanner->text->len >= HB_JSON_SCANNER_MAX_SIZE && scanner->state != STATE_BETWEEN)
		return fail(scanner, byte, "larger than %d bytes", HB_JSON_SCANNER_MAX_SIZE);

	switch (scanner->state) {
	case STATE_BETWEEN:
		return step_between(scanner, byte);
	case STATE_VALUE:
		return step_value(scanner, byte);
	case STATE_STRING:
		return step_string(scanner, byte);
	case STATE_ESCAPE:
		return step_escape(scanner, byte);
	case STATE_UNICODE:
		return step_unicode(scanner, byte);
	case STATE_SKIP:
		if (is_boundary(byte))
			scanner->state = STATE_QUIET;
		return STEP_MORE;
	case STATE_QUIET:
		if (is_boundary(byte) || is_blank(byte))
			return STEP_MORE;
		scanner->state = STATE_BETWEEN;
		return step_between(scanner, byte);
	}
	return STEP_MORE;
}

static HbJsonScan end_value(HbJsonScanner *scanner)
{
	gboolean blamed = scanner->blamed;

	scanner->blamed = FALSE;
	scanner->state = STATE_BETWEEN;
	return blamed ? HB_JSON_SCAN_ERROR : HB_JSON_SCAN_VALUE;
}

HbJsonScan hb_json_scanner_feed(HbJsonScanner *scanner, const guint8 *data, gsize length,
				gsize *used)
{
	*used = 0;
	while (*used < length) {
		switch (step(scanner, data[(*used)++])) {
		case STEP_MORE:
			break;
		case STEP_VALUE:
			return end_value(scanner);
		case STEP_VALUE_BEFORE:
			(*used)--;
			return end_value(scanner);
		case STEP_ERROR:
			return HB_JSON_SCAN_ERROR;
		}
	}
	return HB_JSON_SCAN_MORE;
}

const char *hb_json_scanner_get_text(HbJsonScanner *scanner, gsize *length)
{
	*length = scanner->text->len;
	return scanner->text->str;
}

const char *hb_json_scanner_get_error(HbJsonScanner *scanner)
{
	return scanner->error->str;
}

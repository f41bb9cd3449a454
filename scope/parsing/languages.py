"""Which language a prompt is in, where it is not English: by its letters, or by its small words. Loads no network."""

import re
import unicodedata

from scope.parsing.english import is_adjective, is_adverb, is_noun, verb_of
from scope.parsing.lexicon import COLOR_OF, COUNT_OF, FUNCTION_WORDS, RELATION_OF, VAGUE

#: Beginnings of Unicode's names of letters -> the language that is mostly written with them.
_SCRIPTS = {
    "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "CJK": "Chinese", "CYRILLIC": "Russian",
    "GREEK": "Greek", "ARABIC": "Arabic", "HEBREW": "Hebrew", "THAI": "Thai", "DEVANAGARI": "Hindi",
    "BENGALI": "Bengali", "TAMIL": "Tamil", "TELUGU": "Telugu", "GEORGIAN": "Georgian", "ARMENIAN": "Armenian",
}  # fmt: skip
#: The small words of languages in Latin letters, without those that English has too.
_SMALL_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "German": "ein eine die einen einem einer eines der den dem das und mit auf unter über neben von vom zum zur ist sind "
        "im am auf zwei drei vier fünf sechs sieben acht neun zehn nicht ohne vor hinter zwischen bei rote roter rotes "
        "roten blaue blauer blauen blaues schwarze schwarzer grüne grüner weiße großer große kleine kleiner der ich möchte",
        "French": "un une des les le la du aux et avec sur sous dans près derrière devant entre est sont deux trois "
        "quatre cinq sept huit neuf dix pas sans noir noire rouge rouges bleu bleue vert verte blanc blanche qui à côté "
        "petit petite grand grande il elle je veux chien maison",
        "Spanish": "un una unos unas el la los las del y con sobre bajo en junto detrás entre es son dos tres cuatro cinco seis "
        "siete ocho nueve diez sin rojo roja rojos azul negro negra verde blanco blanca que al lado perro gato mesa",
        "Portuguese": "um uma uns umas o os as do da dos das no na nos nas e com sobre sob em ao lado atrás entre é são dois "
        "duas três quatro cinco seis sete oito nove dez sem vermelho vermelha preto preta azul branco branca verde que não",
        "Italian": "un uno una il lo la gli le rossi rosse neri nere verdi bianchi bianche tre di del della dei delle sul sulla su con sotto tra nel nella è sono due tre "
        "quattro cinque sei sette otto nove dieci senza rosso rossa nero nera blu verde bianco bianca che accanto e gatto",
        "Dutch": "een het de op onder naast met van en zijn twee drie vier vijf zes zeven acht negen tien niet zonder achter "
        "tussen voor rode rood zwarte blauwe groene witte grote kleine die dat",
        "Swedish": "en ett och gul gult på under med av är två tre fyra fem sex sju åtta nio tio inte utan bakom mellan framför röd "
        "röda svart blå grön vit som bredvid liten stor",
        "Danish or Norwegian": "en et og gul gult på under med af av er to tre fire fem seks syv otte åtte ni ti ikke uden bag mellem "
        "foran rød røde sort svart blå grøn grønn hvid hvit som ved",
        "Polish": "na i z w pod obok nad przed jest są dwa dwie trzy cztery pięć nie bez czerwony czerwona czerwone czarny "
        "czarna czarne niebieski biały za który",
        "Turkish": "bir ve ile üzerinde altında yanında iki üç dört beş altı yedi kırmızı siyah mavi yeşil beyaz kedi köpek "
        "masanın üstünde olan",
        "Finnish": "ja on alla päällä vieressä kaksi kolme neljä viisi punainen musta sininen vihreä valkoinen kissa koira "
        "pöydällä jossa ilman",
        "Czech": "na a v s pod vedle je jsou dva dvě tři čtyři pět ne bez červený červená červené černý černá modrý bílý "
        "který kočka pes",
        "Romanian": "un o pe cu și sub lângă este sunt doi două trei patru cinci nu fără roșu roșie negru neagră albastru "
        "pisică câine",
        "Hungarian": "egy és a az egy asztalon alatt mellett két három négy öt nem nélkül piros fekete kék zöld fehér macska "
        "kutya",
        "Indonesian": "sebuah seekor di atas bawah dengan dan yang dua tiga empat lima tidak tanpa merah hitam biru hijau "
        "putih kucing anjing meja samping",
        "Vietnamese": "một con trên dưới với và hai ba bốn năm không màu đỏ đen xanh trắng mèo chó bàn cái bên cạnh",
    }.items()
}  # fmt: skip
#: Small words of English: of these a foreign prompt has hardly one.
_ENGLISH = FUNCTION_WORDS | frozenset(COUNT_OF) | VAGUE | frozenset(w for w in RELATION_OF if " " not in w)
_QUOTED = re.compile(r"""["“«][^"”»]*["”»]|(?<!\w)['‘][^'’]*['’](?!\w)""")
#: "d'un", "l'homme".
_ELIDED = re.compile(r"(?:l|d|qu|dell|nell|sull|all|un)['’](?=[a-zà-ÿ]{2})")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def foreign_language(text: str) -> str | None:
    """Return the language that a cleaned prompt seems to be in; None: English, or too little to say.

    Words in quotation marks are to be read in the picture, and may be in any language.
    """
    words = _LETTERS.findall(_QUOTED.sub(" ", text))
    latin = [word for word in words if _script(word) is None]
    if other := [script for word in words if (script := _script(word))]:
        if sum(map(len, latin)) < sum(len(word) for word in words if _script(word)):
            return "Japanese" if "Japanese" in other else max(other, key=other.count)
        return None
    return _by_small_words(latin)


def _by_small_words(words: list[str]) -> str | None:
    """Return the language whose small words these have, if they have hardly an English one.

    A single one is enough where the prompt begins with it and every other word is unknown: "Vincent van Gogh" is a name.
    """
    own = {language: [w for w in words if w in small and w not in _ENGLISH] for language, small in _SMALL_WORDS.items()}
    best = max(own, key=lambda language: len(own[language]))
    elided = sum(_ELIDED.match(word) is not None for word in words)
    best, found = best if own[best] else "French", len(own[best]) + elided
    others = [word.lower() for word in words if word not in own[best]]
    known = sum(map(_is_english, others))
    if len(set(own[best])) > 1 or elided:
        small = sum(word in _ENGLISH for word in others)
        return best if found > small and 2 * known < len(words) and 5 * found >= len(words) else None
    return best if found and words[0] in own[best] and others and not known else None


def _is_english(word: str) -> bool:
    """Return whether a lower-case word is an English one."""
    return word in _ENGLISH or word in COLOR_OF or any(of(word) for of in (is_noun, verb_of, is_adjective, is_adverb))


def _script(word: str) -> str | None:
    """Return the language of a word's script, if it is not Latin."""
    name = unicodedata.name(word[0], "")
    return next((language for script, language in _SCRIPTS.items() if name.startswith(script)), None)

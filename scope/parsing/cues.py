"""Words that deny what follows them, as patterns: a thing is not to be there, or something is not so."""

import re

_NOT = (
    r"(?:(?:do|does|did|is|are|was|were|has|have|had|should|must|could|would|can|will|shall|may|need)\s*(?:not|n['’]?t)|"
    r"dont|doesnt|isnt|arent|shouldnt|cannot|won['’]t|not|never)"
)
_DRAW = (
    r"(?:draw|includ|show|add|put|paint|depict|us|want|render|plac|insert|generat|creat|mak|featur|display|giv|allow|"
    r"incorporat|introduc)(?:e|es|s|t?ing)?"
)
_HAVE = r"(?:ha(?:ve|s|ving)|wear(?:s|ing)?|hold(?:s|ing)?|carr(?:y|ies|ying)|contain(?:s|ing)?|own(?:s|ing)?|with)"
#: A thing whose having is denied is one that is not there, unless it is a certain one: "not wearing the hat".
_CERTAIN = r"(?!\s+(?:the|his|her|its|their|this|that|it|them|him)\b)"
#: Where a request of its own begins: "a dog, hold the leash", "please omit the moon".
_REQUEST = r"(?:^|(?<=[,.;:!(-]\s)|(?<=\bplease\s)|(?<=\band\s)|(?<=\bbut\s))"

_PICTURE = r"(?:image|picture|photo|photograph|scene|drawing|painting)"

_BEFORE_THINGS = (
    r"without(?:\s*,?\s*(?:however|of\s+course|obviously)\s*,?)?(?:\s+so\s+much\s+as)?|with\s+none\s+of|lacking|lacks?|with\s+no|"
    r"(?:devoid|void|empty|bereft|stripped|cleared|rid|free)\s+of|free\s+from|unaccompanied\s+by|sans|zero|nary|"
    r"(?:missing|los(?:t|es|ing)|loses)(?=\s+(?:its|his|her|their|the|any|all)\b)|"
    r"instead\s+of|rather\s+than|in\s+(?:place|lieu)\s+of|as\s+opposed\s+to|other\s+than|unlike|nothing\s+like|minus|"
    r"excluding|(?:any|every|all|no)(?:thing|one|body|where)?\s+(?:but|bar)|"
    r"(?:with\s+)?(?:not|n['’]t|never)\s+(?:an?\s+single|any|even\s+an?|one)"
)
#: What denies the things after it.
NO_THING = (
    rf"(?:\b(?:the|this)\s+{_PICTURE}\s+)?\b{_NOT}\s+(?:be\s+)?"
    rf"(?:{_DRAW}(?:\s+in)?(?!\s+(?:it|them|him|her|sure)\b)|{_HAVE}{_CERTAIN})(?![\w-])"
    rf"|\b(?:{_BEFORE_THINGS})\b"
    rf"|{_REQUEST}(?:avoid(?:ing)?|omit(?:ting)?|exclud(?:e|ing)|leav(?:e|ing)\s+out|remov(?:e|ing)|skip(?:ping)?|"
    rf"(?:hold|ditch|drop|forget|lose)(?=\s+the\b))(?:\s+{_DRAW}(?=\s))?(?![\w-])"
    r"|\bno(?![\w-])(?!\s+(?:longer|one|more|less|fewer|matter)\b)"
)
#: What denies the next thing, unless nothing else was left: "nothing except a chair".
EXCEPT = r"\b(?:except(?:ing)?|save)\s+for\b|\bexcept(?:ing)?\b|\bapart\s+from\b"
#: What leaves open whether the next thing is there, and how many.
HARDLY = r"\b(?:hardly|barely|scarcely)\s+any\b|\b(?:few\s+if\s+any)\b|\bmissing(?=\s+(?:an?|one|two|some)\b)"
#: What denies that something is so.
NOT_SO = (
    r"\bno\s+longer\b|\b(?:in\s+)?any\s+colou?r\s+(?:but|except(?:\s+for)?|other\s+than|besides)\b"
    r"|\b(?:in\s+)?an?\s+colou?r\s+other\s+than\b"
    r"|\b(?:stop(?:s|ped)|ceas(?:es|ed)|quit|quits)(?=\s+\w+ing\b)|\b(?:refus(?:es|ed|ing)|fail(?:s|ed|ing)|declin(?:es|ed|ing)|unable|"
    r"unwilling)(?=\s+to\b)"
)
#: What only adds weight: both are there in "not only a cat but also a dog".
ONLY = re.compile(
    r"(?<=,\s)(?:just|only|simply)\b|\b(?:just|only|simply)(?=\s+(?:an?|the|one)\b)"
    r"|\bnothing\s+(?:but|except|other\s+than|more\s+than)\b|\bnot\s+(?:only|just|merely)\b",
    re.IGNORECASE,
)
NO_PERSON = r"\bno(?:body|[\s-]?one)\b(?!\s+but\b)"

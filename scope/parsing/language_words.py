"""The small words of languages in Latin letters: articles, prepositions, numbers and colours, as prompts have them."""

#: Language -> its words. Some are words of English, too; languages.py does not count those.
SMALL_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "German": (
            "ein eine die einen einem einer eines der den dem das und mit auf unter über neben von vom zum zur ist "
            "sind im am zwei drei vier fünf sechs sieben acht neun zehn nicht ohne vor hinter zwischen bei rote "
            "roter rotes roten blaue blauer blauen blaues schwarze schwarzer grüne grüner weiße großer große kleine "
            "kleiner ich möchte"
        ),
        "French": (
            "un une des les le la du aux et avec sur sous dans près derrière devant entre est sont deux trois quatre "
            "cinq sept huit neuf dix pas sans noir noire rouge rouges bleu bleue vert verte blanc blanche qui à côté "
            "petit petite grand grande il elle je veux chien maison"
        ),
        "Spanish": (
            "un una unos unas el la los las del y con sobre bajo en junto detrás entre es son dos tres cuatro cinco "
            "seis siete ocho nueve diez sin rojo roja rojos azul negro negra verde blanco blanca que al lado perro "
            "gato mesa"
        ),
        "Portuguese": (
            "um uma uns umas o os as do da dos das no na nos nas e com sobre sob em ao lado atrás entre é são dois "
            "duas três quatro cinco seis sete oito nove dez sem vermelho vermelha preto preta azul branco branca "
            "verde que não"
        ),
        "Italian": (
            "un uno una il lo la gli le rossi rosse neri nere verdi bianchi bianche tre di del della dei delle sul "
            "sulla su con sotto tra nel nella è sono due quattro cinque sei sette otto nove dieci senza rosso rossa "
            "nero nera blu verde bianco bianca che accanto e gatto"
        ),
        "Dutch": (
            "een het de op onder naast met van en zijn twee drie vier vijf zes zeven acht negen tien niet zonder "
            "achter tussen voor rode rood zwarte blauwe groene witte grote kleine die dat"
        ),
        "Swedish": (
            "en ett och gul gult på under med av är två tre fyra fem sex sju åtta nio tio inte utan bakom mellan "
            "framför röd röda svart blå grön vit som bredvid liten stor"
        ),
        "Danish or Norwegian": (
            "en et og gul gult på under med af av er to tre fire fem seks syv otte åtte ni ti ikke uden bag mellem "
            "foran rød røde sort svart blå grøn grønn hvid hvit som ved"
        ),
        "Polish": (
            "na i z w pod obok nad przed jest są dwa dwie trzy cztery pięć nie bez czerwony czerwona czerwone czarny "
            "czarna czarne niebieski biały za który"
        ),
        "Turkish": (
            "bir ve ile üzerinde altında yanında iki üç dört beş altı yedi kırmızı siyah mavi yeşil beyaz kedi köpek "
            "masanın üstünde olan"
        ),
        "Finnish": (
            "ja on alla päällä vieressä kaksi kolme neljä viisi punainen musta sininen vihreä valkoinen kissa koira "
            "pöydällä jossa ilman"
        ),
        "Czech": (
            "na a v s pod vedle je jsou dva dvě tři čtyři pět ne bez červený červená červené černý černá modrý bílý "
            "který kočka pes"
        ),
        "Romanian": (
            "un o pe cu și sub lângă este sunt doi două trei patru cinci nu fără roșu roșie negru neagră albastru "
            "pisică câine"
        ),
        "Hungarian": (
            "egy és a az asztalon alatt mellett két három négy öt nem nélkül piros fekete kék zöld fehér macska kutya"
        ),
        "Indonesian": (
            "sebuah seekor di atas bawah dengan dan yang dua tiga empat lima tidak tanpa merah hitam biru hijau "
            "putih kucing anjing meja samping"
        ),
        "Vietnamese": ("một con trên dưới với và hai ba bốn năm không màu đỏ đen xanh trắng mèo chó bàn cái bên cạnh"),
    }.items()
}

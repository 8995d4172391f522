r"""How an answer is announced: nouns, links, and the words around them, by language.

Source: the eleven languages of MGSM (arXiv:2210.03057) and further ones; wordings as models use them.
"""

# ruff: noqa: E501  (a table of words)
from __future__ import annotations

from typing import NamedTuple


class Tongue(NamedTuple):
    """Words of one language, as alternatives of a regular expression.

    Attributes:
        nouns: what names an answer. links: what stands between the noun and the answer. beside: what may stand between
            the noun and the link. before: what, right before the noun, makes it another thing than the final answer.
        final: adjectives that make the answer the final one. denials: what, right after the link, denies it.
        denials_behind: what denies the answer from behind it. closings: what closes a sentence behind its answer.
        adverbs: what may stand between the link and the answer. inverted: the link, where it may stand before the noun.
        turns: what announces a correction. bare: the noun needs no link before a number.
    """

    nouns: str
    links: str
    beside: str = ""
    before: str = ""
    final: str = ""
    denials: str = ""
    denials_behind: str = ""
    closings: str = ""
    turns: str = ""
    adverbs: str = ""
    inverted: str = ""
    bare: bool = False


TONGUES = {
    "en": Tongue(
        nouns=r"answers?|ans|correct (?:option|choice)|(?:right|best) (?:option|choice)|final (?:result|value)",
        links=r"is|are|was|equals?|becomes|(?:must|should|will|would|has to) be|comes (?:out )?to(?: be)?"
        r"|turns out to be|works out to(?: be)?",
        beside=r"(?:to|of|for) (?:the|this|that|your|our|my) (?:[a-z]+ )?(?:question|problem|exercise|riddle|puzzle"
        r"|equation|task|quiz)|in (?:simplest |lowest |its )?[a-z]{1,20}(?: form| terms)?|choice|option|value|here|then"
        r"|therefore|thus|hence|(?:that )?we (?:get|obtain|find|want|seek|need)|\([^()\n]{1,40}\)",
        adverbs=r"therefore|thus|then|simply|just|exactly|indeed|clearly|hence|so|now|definitely|certainly|(?:as )?follows"
        r"|(?:option|choice)(?=\s[(*]{0,3}[A-J]\b)",
        before=r"(?:first|second|one|third|initial|wrong|incorrect|previous|earlier|his|her|their|students?['’]?s?"
        r"|intermediate|partial|possible|alternative|old|another|each|every|no|any|an|your|other|naive|tempting|common"
        r"|original|last year['’]s|sub|example|sample|expected)"
        r"|(?:if|whether|suppos\w*|assum\w*|unless|guess\w*|(?:might|may|would|could) (?:think|say|guess|be)|thought"
        r"|check|verify|(?:don['’]t|doesn['’]t|didn['’]t|not|never|hardly) (?:think|believe|mean|say)|claim\w*|says?|said|imagine|until|when|what|which|not)(?: that)?",
        final=r"final|correct|right|overall|ultimate|exact|numerical|numeric|complete|actual|true",
        denials=r"(?:\w+ly )?(?:not|never)\b|n['’]t\b|wrong\b|incorrect\b|in the\b|either\b|neither\b|somewhere\b"
        r"|between\b|unknown\b|unclear\b",
        denials_behind=r"is (?:wrong|incorrect)|isn['’]t|if (?:we|she|he|they|you|it)\b",
        turns=r"wait\b|actually\b|hmm|mistaken?\b|sorry\b|correction\b|let me re|let['’]s re|let me double"
        r"|on second thought|scratch that|no,|oops|i (?:forgot|misread|made|overlooked)|incorrect\b|wrong\b"
        r"|but (?:we|wait|the question)\b|no:|but no\b",
    ),
    "es": Tongue(
        nouns=r"respuestas?|resultado final|soluci[oó]n final|(?:opci[oó]n|alternativa) correcta",
        links=r"es|son|ser[ií]a|ser[aá]|debe ser|es igual a",
        beside=r"(?:a|al|de|del|para) (?:la |el |este |esta |nuestra |nuestro )?(?:pregunta|problema|ejercicio)"
        r"|en [a-zó]{1,20}",
        adverbs=r"entonces|por lo tanto|por tanto|as[ií]|simplemente",
        before=r"si|si la|primera|primera la|otra|segunda",
        final=r"final|correcta|definitiva|completa|exacta",
        denials=r"no\b|ni\b", turns=r"esper[ae]|perd[oó]n|correcci[oó]n|en realidad|me equivoqu|error\b",
    ),
    "fr": Tongue(
        nouns=r"r[ée]ponses?|r[ée]sultat final|solution finale|option correcte",
        links=r"est|sont|serait|sera|doit [êe]tre|est [ée]gale? [àa]|vaut",
        beside=r"(?:[àa]|au|de|du|pour) (?:la |cette |ce |notre |l['’])?(?:question|probl[èe]me|exercice)"
        r"|en [a-zé]{1,20}",
        adverbs=r"donc|alors|par cons[ée]quent|ainsi",
        before=r"si la|premi[èe]re|autre|deuxi[èe]me|si",
        final=r"finale?|correcte|d[ée]finitive|bonne|exacte",
        denials=r"pas\b|non\b", turns=r"attend|pardon|en fait|erreur|correction|rectif",
    ),
    "de": Tongue(
        nouns=r"antwort(?:en)?|endantwort|endergebnis|endresultat|schlussantwort|richtige (?:option|l[öo]sung)"
        r"|endg[üu]ltige l[öo]sung",
        links=r"ist|sind|lautet|betr[äa]gt|w[äa]re|muss sein|ist gleich|ist also|ist somit|ist daher|lautet also"
        r"|lautet daher",
        beside=r"(?:auf|zu|zur|zum|f[üu]r) (?:die |das |der |diese |dieses )?(?:frage|problem|aufgabe)|also|somit|daher"
        r"|in [a-zäöü]{1,20}",
        adverbs=r"also|somit|daher|damit|folglich|deshalb|demnach|einfach", inverted=r"(?:ist|lautet|beträgt|wäre)",
        before=r"erste|andere|zweite|ob die|falls die|keine|wenn die",
        final=r"endg[üu]ltige|richtige|korrekte|finale|abschlie(?:ß|ss)ende",
        denials=r"(?:\w+ )?nicht\b|kein", turns=r"moment\b|warte|korrektur|fehler|eigentlich|entschuldig",
    ),
    "ru": Tongue(
        nouns=r"ответ(?:ом|ы)?|правильный вариант",
        links=r"равен|равна|равно|является|будет|есть|это|составляет|таков|составит|[-–—]",
        beside=r"на (?:этот |данный )?вопрос|(?:на|к|в) (?:эту |этой |данную |данной )?задач[ауиеу]|задачи"
        r"|в [а-яё]{1,20}",
        before=r"если|первый|второй|другой|неверный|неправильный|промежуточный",
        final=r"окончательн\w+|правильн\w+|итогов\w+|верн\w+|конечн\w+",
        denials=r"не\b|невер|неправ", denials_behind=r"невер\w+|неправ\w+",
        turns=r"подожд|погод|стоп\b|ошиб|на самом деле|исправ|извин", bare=True,
    ),
    "ja": Tongue(
        nouns=r"答え|最終的な回答|最終回答|回答|解答|正解|こたえ|最終結果",
        links=r"は|が|も|、",
        beside=r"として",
        before=r"もし|最初の|間違った|誤った|第一の|一つ目の|別の|部分の|最初の部分の",
        final=r"最終的な|最終の?|正しい",
        denials=r"ない", denials_behind=r"では(?:ありません|ない)|じゃない|ではなく|でしょうか|ですか",
        closings=r"(?:に|と)?(?:です|なります|である|でした|になる|だ|となる|でしょう|いうことになります|なりました)",
        turns=r"待って|間違|訂正|いや|すみません|実際", bare=True,
    ),
    "zh": Tongue(
        nouns=r"答案|最终结果|最終結果|答|答复|正确选项|正確選項|故选|故選|应选|應選|所以选|因此选|正确的选项",
        links=r"就?是|应[该該]?[是为]?|應[該]?[是為]?|等于|等於|[为為]|也?即|选|選",
        beside=r"是多少|应|也",
        before=r"如果|假如|假设|第[一二三两]?个?|错误|錯誤|若|中间|其他|部分的|步的|第一步|第一部分|第一问",
        final=r"最终|最終|正确|正確|最后|最後|最终的|正确的",
        denials=r"不|并非|非|错", denials_behind=r"是?[错錯]的?|不对|不對|吗|嗎",
        closings=r"(?:了|的)", turns=r"等等|等一下|不对|不對|重新|更正|其实|其實|错了|錯了|抱歉", bare=True,
    ),
    "th": Tongue(
        nouns=r"คำตอบ|ผลลัพธ์สุดท้าย|ตอบ",
        links=r"ก็คือ|คือ|เป็น|เท่ากับ|จึงเป็น|จึงคือ|ได้แก่",
        beside=r"(?:ของ|สำหรับ)?(?:คำถาม|โจทย์|ปัญหา)(?:นี้|ข้อนี้)?|จึง|ก็|ที่ได้|ของคำถามนี้",
        before=r"ถ้า|หาก",
        final=r"สุดท้าย|ที่ถูกต้อง|ที่ถูก|สุดท้ายที่ถูกต้อง",
        denials=r"ไม่", denials_behind=r"ไม่ถูก|ใช่ไหม|หรือไม่|ผิด",
        closings=r"(?:ครับ|ค่ะ)", turns=r"เดี๋ยว|ผิด|แก้ไข|ที่จริง|ขอโทษ", bare=True,
    ),
    "sw": Tongue(
        nouns=r"jibu|jawabu|majibu",
        links=r"ni|litakuwa|itakuwa|ni sawa na",
        beside=r"(?:la|kwa|ya) (?:swali|tatizo)(?: hili| hilo)?|basi|hivyo|kwa hiyo",
        before=r"kama|ikiwa",
        final=r"la mwisho|sahihi|la kweli|letu|kamili|lililo sahihi|lake",
        denials=r"si\b|sio\b|siyo\b", turns=r"subiri|samahani|kosa|kwa kweli|sahihisho|hapana",
    ),
    "bn": Tongue(
        nouns=r"উত্তর(?:টি|টা)?|চূড়ান্ত ফলাফল|সঠিক বিকল্প",
        links=r"হলো|হল|হচ্ছে|হবে|ঃ|হয়|দাঁড়ায়|-|–|—|=",
        beside=r"তাহলে|তাই",
        before=r"যদি|প্রথম|ভুল|অংশের|ধাপের",
        final=r"চূড়ান্ত|সঠিক|শেষ",
        denials=r"নয়|না", denials_behind=r"নয়|ভুল|না|কি(?=\s*$)",
        closings=r"(?:হবে|হয়|হলো|হল)", turns=r"দাঁড়ান|ভুল|আসলে|সংশোধন|দুঃখিত", bare=True,
    ),
    "te": Tongue(
        nouns=r"సమాధానం|సమాధానము|జవాబు|తుది ఫలితం|సరైన ఎంపిక",
        links=r"ఏమిటంటే|అంటే|=|-|–|—",
        beside=r"కాబట్టి|ఇది",
        before=r"మొదటి|తప్పు|భాగానికి|దశకు|ఒకవేళ",
        final=r"తుది|చివరి|సరైన",
        denials=r"కాదు", denials_behind=r"కాదు|తప్పు",
        closings=r"(?:అవుతుంది|అయింది|ఉంటుంది|అవుతాయి|అని|అయ్యింది)", turns=r"ఆగండి|తప్పు|నిజానికి|క్షమించ", bare=True,
    ),
    "pt": Tongue(
        nouns=r"respostas?|alternativa correta|op[çc][ãa]o correta", links=r"é|são|seria|ser[áa]|deve ser|é igual a", adverbs=r"portanto|ent[ãa]o",
        beside=r"(?:[àa]|ao|para|da|do) (?:a |o |esta |este )?(?:pergunta|quest[ãa]o|problema)|em [a-zç]{1,20}",
        before=r"se a|primeira|outra", final=r"final|correta|certa|definitiva", denials=r"n[ãa]o\b|nem\b",
        turns=r"espere|desculpe|corre[çc][ãa]o|na verdade|erro\b",
    ),
    "it": Tongue(
        nouns=r"risposta|risposte|risultato finale|opzione corretta", links=r"è|sono|sarebbe|sar[àa]|deve essere", adverbs=r"quindi|dunque|pertanto",
        beside=r"(?:alla|al|a|della|del) (?:questa |questo )?(?:domanda|problema|quesito)|in [a-z]{1,20}",
        before=r"se la|prima|altra", final=r"finale|corretta|giusta|definitiva|esatta", denials=r"non\b",
        turns=r"aspetta|scusa|correzione|in realt[àa]|errore",
    ),
    "ko": Tongue(
        nouns=r"정답|최종 ?답|답변|해답|답|최종 결과", links=r"은|는|:|이",
        before=r"만약|첫 번째|다른|틀린", final=r"최종|올바른|정확한|맞는",
        denials=r"아니", denials_behind=r"(?:이|가)? ?아[니닙]\w*|인가요|입니까|틀\w*",
        closings=r"(?:입니다|이다|이에요|예요|임|이 됩니다|가 됩니다|이며|다)", turns=r"잠깐|아니|실수|정정|사실은|죄송", bare=True,
    ),
    "ar": Tongue(
        nouns=r"(?:ال)?(?:جواب|إجابة|اجابة)|الناتج النهائي", links=r"هو|هي|يكون|تكون|تساوي|يساوي|=",
        beside=r"(?:على|عن|لهذا|لهذه) (?:هذا |هذه )?(?:السؤال|المسألة|المشكلة)",
        before=r"إذا كان|إذا كانت|لو", final=r"(?:ال)?نهائي[ةه]?|(?:ال)?صحيح[ةه]?", denials=r"ليس|لا\b",
        turns=r"انتظر|عفو|خطأ|تصحيح|في الواقع", bare=True,
    ),
    "hi": Tongue(
        nouns=r"उत्तर|जवाब|सही विकल्प", links=r"है|हैं|होगा|यह है|-|–|=|होगी",
        before=r"यदि|अगर|पहला|गलत|भाग का|चरण का", final=r"अंतिम|सही|आखिरी|अन्तिम", denials=r"नहीं",
        denials_behind=r"नहीं|गलत|क्या", closings=r"(?:है|हैं|होगा|होगी|होता है)", turns=r"रुक|गलत|असल में|माफ़|सुधार", bare=True,
    ),
    "vi": Tongue(
        nouns=r"đáp án|đáp số|câu trả lời|kết quả cuối cùng|trả lời", links=r"là|sẽ là|bằng|phải là",
        beside=r"(?:cho|của) (?:câu hỏi|bài toán)(?: này)?|của bài toán|cần tìm", before=r"nếu",
        final=r"cuối cùng|đúng|chính xác", denials=r"không|chẳng", turns=r"khoan|chờ đã|xin lỗi|nhầm|thực ra|sai",
    ),
    "nl": Tongue(
        nouns=r"antwoord|eindantwoord|eindresultaat", links=r"is|luidt|bedraagt|is dus",
        adverbs=r"dus|daarom", inverted=r"(?:is|luidt)",
        beside=r"op (?:de |deze )?vraag|dus|in [a-z]{1,20}", before=r"als het|eerste|ander", denials=r"niet\b|geen\b",
        final=r"definitieve?|juiste|uiteindelijke|correcte", turns=r"wacht|sorry|fout|eigenlijk|correctie",
    ),
    "pl": Tongue(
        nouns=r"odpowied[źz](?:ią)?|odp", links=r"to|brzmi|wynosi|jest|[-–—]", beside=r"na (?:to )?pytanie|jest|zadania",
        before=r"jeśli|pierwsza|inna", final=r"ostateczn[aą]|końcow[aą]|poprawn[aą]|prawidłow[aą]", denials=r"nie\b",
        turns=r"czekaj|przepraszam|błąd|właściwie|poprawka",
    ),
    "tr": Tongue(
        nouns=r"cevap|cevab[ıi]|yan[ıi]t[ıi]?|sonu[çc] olarak cevap", links=r"şudur|ise|olarak", before=r"eğer|ilk|yanlış",
        final=r"nihai|son|doğru|kesin", denials=r"değil", denials_behind=r"değil|yanlış|m[ıiuü](?=\s*$)",
        closings=r"['’]?[dt][ıiuü]r|olur|olacaktır", turns=r"bekle|pardon|hata|aslında|düzelt", bare=True,
    ),
    "id": Tongue(
        nouns=r"jawaban(?:nya)?", links=r"adalah|ialah|yaitu", beside=r"(?:untuk|dari|atas) (?:pertanyaan|soal)(?: ini)?",
        before=r"jika|kalau", final=r"akhir(?:nya)?|(?:yang )?benar|(?:yang )?tepat", denials=r"bukan|tidak",
        turns=r"tunggu|maaf|salah|sebenarnya|koreksi",
    ),
    "uk": Tongue(
        nouns=r"відповідь|відповіддю", links=r"дорівнює|є|це|буде|становить|[-–—]", beside=r"на (?:це )?(?:питання|запитання)",
        before=r"якщо|перша|інша", final=r"остаточн\w+|правильн\w+|кінцев\w+", denials=r"не\b",
        denials_behind=r"неправ\w+", turns=r"зачекай|помил|насправді|виправ", bare=True,
    ),
    "sv": Tongue(
        nouns=r"svar(?:et)?|slutsvar", links=r"är|blir|er", inverted=r"(?:är|blir|er)", beside=r"på frågan", before=r"om|första|andra",
        final=r"slutgiltiga|rätta|korrekta|slutliga|riktige", denials=r"inte\b|ikke\b", turns=r"vänta|fel\b|förlåt|egentligen",
    ),
    "cs": Tongue(
        nouns=r"odpověď|odpovědí", links=r"je|zní|činí", beside=r"na (?:tuto )?otázku", before=r"pokud|první|jiná",
        final=r"konečná|správná|finální", denials=r"není\b", turns=r"počkej|chyba|promiň|vlastně",
    ),
    "ro": Tongue(
        nouns=r"răspunsul|răspuns|raspunsul|raspuns", links=r"este|e|va fi", beside=r"la (?:această )?întrebare", before=r"dacă",
        final=r"final|corect", denials=r"nu\b", turns=r"stai|scuze|greșeal|de fapt",
    ),
    "el": Tongue(
        nouns=r"απάντηση", links=r"είναι", beside=r"στ(?:ην|η) ερώτηση", before=r"αν η", final=r"τελική|σωστή",
        denials=r"δεν\b", turns=r"περίμενε|λάθος|συγγνώμη",
    ),
    "fa": Tongue(
        nouns=r"پاسخ|جواب", links=r"برابر است با|برابر با|عبارت است از", before=r"اگر",
        final=r"نهایی|صحیح|درست", denials=r"نیست", denials_behind=r"نیست|اشتباه", closings=r"است|می‌شود|می‌باشد",
        turns=r"صبر|اشتباه|در واقع", bare=True,
    ),
    "he": Tongue(
        nouns=r"התשובה|תשובה", links=r"היא|הוא", beside=r"לשאלה", before=r"אם", final=r"הסופית|הנכונה|סופית|נכונה",
        denials=r"לא\b", turns=r"רגע|טעות|סליחה|בעצם", bare=True,
    ),
}  # fmt: skip

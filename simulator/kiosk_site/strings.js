window.STRINGS = {
  "vi": {
    "name": "Tiếng Việt", "brand": "Điểm thông tin đối ngoại", "welcome": "Chào mừng bạn đến với Việt Nam",
    "subtitle": "Chọn nội dung bạn muốn xem", "touch": "Chạm vào màn hình để bắt đầu", "home": "Trang chủ",
    "finish": "Kết thúc", "close": "Đóng", "more": "Xem thêm trên điện thoại", "qr_hint": "Quét mã để mở trang vietnam.vn",
    "listen": "Nghe giai điệu minh họa", "stop": "Dừng",
    "countries": ["Việt Nam", "Lào", "Campuchia", "Trung Quốc"],
    "faces": ["Rất không hài lòng", "Không hài lòng", "Bình thường", "Hài lòng", "Rất hài lòng"],
    "thanks": "Cảm ơn bạn!", "anonymous": "Điểm thông tin này không thu thập dữ liệu cá nhân.",
    "pages": {
      "thu-tuc": {"title": "Thủ tục qua cửa khẩu", "lead": "Những việc nên chuẩn bị trước khi đến quầy", "facts": [
        ["Giấy tờ", "Mang theo hộ chiếu hoặc giấy tờ qua lại biên giới còn giá trị."],
        ["Thị thực", "Kiểm tra xem bạn cần thị thực hay được miễn."],
        ["Hải quan", "Khai báo hàng hóa và ngoại tệ thuộc diện phải khai."],
        ["Kiểm dịch", "Động vật, thực vật và sản phẩm của chúng phải qua kiểm dịch."],
        ["Hỏi cán bộ", "Quy định có thể thay đổi. Cán bộ tại quầy sẽ hướng dẫn bạn."]]},
      "gio-lam-viec": {"title": "Giờ làm việc", "lead": "Giờ của từng cửa khẩu được niêm yết tại quầy", "facts": [
        ["Múi giờ", "Việt Nam, Lào và Campuchia dùng giờ UTC+7; Trung Quốc dùng giờ UTC+8."],
        ["Ngày lễ, Tết", "Giờ làm việc có thể thay đổi; hãy xem thông báo tại cửa khẩu."],
        ["Nên đến sớm", "Đến trước giờ đóng cửa để kịp làm thủ tục."]]},
      "van-hoa": {"title": "Hình ảnh văn hóa", "lead": "Đất nước của 54 dân tộc anh em", "facts": [
        ["Thực hành Then", "Nghi lễ và âm nhạc của người Tày, Nùng, Thái; UNESCO ghi danh năm 2019."],
        ["Nghệ thuật Xòe Thái", "Điệu múa vòng của người Thái ở Tây Bắc; UNESCO ghi danh năm 2021."],
        ["Cồng chiêng Tây Nguyên", "Không gian văn hóa được UNESCO công nhận năm 2005."]]},
      "dau-tu": {"title": "Thông tin đầu tư", "lead": "Kết nối thị trường qua biên giới", "facts": [
        ["Khu kinh tế cửa khẩu", "Nhiều cửa khẩu có khu kinh tế cho thương mại, kho bãi và dịch vụ."],
        ["Hiệp định thương mại", "Việt Nam tham gia CPTPP, EVFTA, RCEP và nhiều hiệp định khác."],
        ["Bắt đầu từ đâu", "Cơ quan xúc tiến đầu tư của tỉnh cung cấp thông tin và hướng dẫn thủ tục."]]},
      "hoa-binh": {"title": "Biên giới hòa bình, hữu nghị", "lead": "Hợp tác và cùng phát triển", "facts": [
        ["Láng giềng", "Việt Nam có chung biên giới đất liền với Trung Quốc, Lào và Campuchia."],
        ["Giao lưu", "Người dân hai bên biên giới thăm hỏi, giao lưu và buôn bán ở chợ biên giới."],
        ["Kết nghĩa", "Nhiều bản làng hai bên biên giới kết nghĩa và giúp đỡ nhau."]]},
      "gop-y": {"title": "Góp ý", "lead": "Bạn thấy điểm thông tin này thế nào?", "facts": []}
    }
  },
  "en": {
    "name": "English", "brand": "Foreign Information Point", "welcome": "Welcome to Viet Nam",
    "subtitle": "Choose what you would like to see", "touch": "Touch the screen to begin", "home": "Home",
    "finish": "Finish", "close": "Close", "more": "More on your phone", "qr_hint": "Scan the code to open vietnam.vn",
    "listen": "Listen to a sample tune", "stop": "Stop",
    "countries": ["Viet Nam", "Laos", "Cambodia", "China"],
    "faces": ["Very poor", "Poor", "Fair", "Good", "Very good"],
    "thanks": "Thank you!", "anonymous": "This information point collects no personal data.",
    "pages": {
      "thu-tuc": {"title": "Crossing the border", "lead": "What to prepare before you reach the counter", "facts": [
        ["Documents", "Carry a valid passport or border pass."],
        ["Visa", "Check whether you need a visa or are exempt."],
        ["Customs", "Declare goods and foreign currency that must be declared."],
        ["Quarantine", "Animals, plants and their products must pass quarantine."],
        ["Ask an officer", "Rules may change. The officers at the counter will guide you."]]},
      "gio-lam-viec": {"title": "Opening hours", "lead": "Each gate's hours are posted at its counter", "facts": [
        ["Time zones", "Viet Nam, Laos and Cambodia use UTC+7; China uses UTC+8."],
        ["Public holidays", "Hours may change; please see the notices at the gate."],
        ["Come early", "Arrive well before closing time to complete the procedures."]]},
      "van-hoa": {"title": "Images of culture", "lead": "A country of 54 ethnic groups", "facts": [
        ["Practices of Then", "Ritual and music of the Tày, Nùng and Thái; inscribed by UNESCO in 2019."],
        ["Xòe dance", "A circle dance of the Thái in the northwest; inscribed by UNESCO in 2021."],
        ["Gongs of the Central Highlands", "A space of culture recognised by UNESCO in 2005."]]},
      "dau-tu": {"title": "Investment information", "lead": "Connecting markets across the border", "facts": [
        ["Border-gate economic zones", "Many gates have a zone for trade, storage and services."],
        ["Trade agreements", "Viet Nam takes part in CPTPP, EVFTA, RCEP and many others."],
        ["Where to begin", "The province's investment promotion agency informs and guides you."]]},
      "hoa-binh": {"title": "A border of peace and friendship", "lead": "Cooperation and shared development", "facts": [
        ["Neighbours", "Viet Nam shares land borders with China, Laos and Cambodia."],
        ["Exchange", "People on both sides visit, meet and trade at border markets."],
        ["Twinned villages", "Many villages on both sides are twinned and help each other."]]},
      "gop-y": {"title": "Your opinion", "lead": "How do you find this information point?", "facts": []}
    }
  },
  "zh": {
    "name": "中文", "brand": "对外信息服务点", "welcome": "欢迎来到越南",
    "subtitle": "请选择您想了解的内容", "touch": "轻触屏幕开始", "home": "首页",
    "finish": "结束", "close": "关闭", "more": "在手机上查看更多", "qr_hint": "扫码打开 vietnam.vn",
    "listen": "试听示例旋律", "stop": "停止",
    "countries": ["越南", "老挝", "柬埔寨", "中国"],
    "faces": ["非常不满意", "不满意", "一般", "满意", "非常满意"],
    "thanks": "谢谢您！", "anonymous": "本信息点不收集任何个人信息。",
    "pages": {
      "thu-tuc": {"title": "过境手续", "lead": "到达柜台前请做好准备", "facts": [
        ["证件", "请携带有效的护照或边境通行证。"],
        ["签证", "请确认您是否需要签证或可以免签。"],
        ["海关", "应申报的货物和外币请如实申报。"],
        ["检疫", "动植物及其产品须经过检疫。"],
        ["咨询工作人员", "规定可能变化，柜台工作人员会为您说明。"]]},
      "gio-lam-viec": {"title": "办公时间", "lead": "各口岸的办公时间以柜台公示为准", "facts": [
        ["时区", "越南、老挝和柬埔寨使用 UTC+7，中国使用 UTC+8。"],
        ["节假日", "办公时间可能调整，请留意口岸通知。"],
        ["请提早到达", "请在关闭前提早到达，以便办完手续。"]]},
      "van-hoa": {"title": "文化风采", "lead": "五十四个民族的国家", "facts": [
        ["天曲习俗", "岱、侬、泰族的礼仪与音乐，2019年列入联合国教科文组织名录。"],
        ["泰族摇舞", "西北泰族的圆圈舞，2021年列入联合国教科文组织名录。"],
        ["西原锣钲", "西原锣钲文化空间，2005年获联合国教科文组织认定。"]]},
      "dau-tu": {"title": "投资信息", "lead": "跨越边境，连接市场", "facts": [
        ["口岸经济区", "许多口岸设有经济区，用于贸易、仓储和服务。"],
        ["贸易协定", "越南参加了 CPTPP、EVFTA、RCEP 等多项协定。"],
        ["从哪里开始", "省级投资促进机构提供信息并指导办理手续。"]]},
      "hoa-binh": {"title": "和平友好边界", "lead": "合作与共同发展", "facts": [
        ["邻国", "越南与中国、老挝和柬埔寨陆地相连。"],
        ["往来", "边境两侧居民互相走访、交流，并在边境集市买卖。"],
        ["结对村寨", "边境两侧许多村寨结为友好村寨，互相帮助。"]]},
      "gop-y": {"title": "您的意见", "lead": "您觉得这个信息点怎么样？", "facts": []}
    }
  },
  "lo": {
    "name": "ລາວ", "brand": "ຈຸດຂໍ້ມູນຕ່າງປະເທດ", "welcome": "ຍິນດີຕ້ອນຮັບສູ່ຫວຽດນາມ",
    "subtitle": "ເລືອກເນື້ອໃນທີ່ທ່ານຢາກເບິ່ງ", "touch": "ແຕະໜ້າຈໍເພື່ອເລີ່ມຕົ້ນ", "home": "ໜ້າຫຼັກ",
    "finish": "ຈົບ", "close": "ປິດ", "more": "ເບິ່ງເພີ່ມໃນໂທລະສັບ", "qr_hint": "ສະແກນລະຫັດເພື່ອເປີດ vietnam.vn",
    "listen": "ຟັງທຳນອງຕົວຢ່າງ", "stop": "ຢຸດ",
    "countries": ["ຫວຽດນາມ", "ລາວ", "ກຳປູເຈຍ", "ຈີນ"],
    "faces": ["ບໍ່ພໍໃຈຫຼາຍ", "ບໍ່ພໍໃຈ", "ທຳມະດາ", "ພໍໃຈ", "ພໍໃຈຫຼາຍ"],
    "thanks": "ຂອບໃຈ!", "anonymous": "ຈຸດຂໍ້ມູນນີ້ບໍ່ເກັບກຳຂໍ້ມູນສ່ວນບຸກຄົນ.",
    "pages": {
      "thu-tuc": {"title": "ຂັ້ນຕອນຜ່ານດ່ານ", "lead": "ສິ່ງທີ່ຄວນກະກຽມກ່ອນຮອດປ່ອງບໍລິການ", "facts": [
        ["ເອກະສານ", "ຖືໜັງສືຜ່ານແດນ ຫຼື ບັດຜ່ານຊາຍແດນທີ່ຍັງໃຊ້ໄດ້."],
        ["ວີຊາ", "ກວດເບິ່ງວ່າທ່ານຕ້ອງມີວີຊາ ຫຼື ໄດ້ຮັບການຍົກເວັ້ນ."],
        ["ພາສີ", "ແຈ້ງສິນຄ້າ ແລະ ເງິນຕາຕ່າງປະເທດທີ່ຕ້ອງແຈ້ງ."],
        ["ກັກກັນພະຍາດ", "ສັດ, ພືດ ແລະ ຜະລິດຕະພັນຕ້ອງຜ່ານການກວດກັກກັນ."],
        ["ຖາມເຈົ້າໜ້າທີ່", "ລະບຽບອາດປ່ຽນແປງ. ເຈົ້າໜ້າທີ່ຈະແນະນຳທ່ານ."]]},
      "gio-lam-viec": {"title": "ໂມງເຮັດວຽກ", "lead": "ໂມງຂອງແຕ່ລະດ່ານຕິດປະກາດຢູ່ປ່ອງບໍລິການ", "facts": [
        ["ເຂດເວລາ", "ຫວຽດນາມ, ລາວ ແລະ ກຳປູເຈຍ ໃຊ້ UTC+7; ຈີນ ໃຊ້ UTC+8."],
        ["ວັນພັກ", "ໂມງເຮັດວຽກອາດປ່ຽນແປງ; ກະລຸນາເບິ່ງແຈ້ງການຢູ່ດ່ານ."],
        ["ຄວນມາແຕ່ຫົວທີ", "ມາກ່ອນໂມງປິດ ເພື່ອໃຫ້ທັນເຮັດຂັ້ນຕອນ."]]},
      "van-hoa": {"title": "ຮູບພາບວັດທະນະທຳ", "lead": "ປະເທດຂອງ 54 ຊົນເຜົ່າ", "facts": [
        ["ພິທີ Then", "ພິທີ ແລະ ດົນຕີຂອງຊົນເຜົ່າ Tày, Nùng, Thái; UNESCO ຂຶ້ນທະບຽນປີ 2019."],
        ["ຟ້ອນ Xòe", "ຟ້ອນວົງຂອງຊົນເຜົ່າ Thái ພາກຕາເວັນຕົກສຽງເໜືອ; UNESCO ຂຶ້ນທະບຽນປີ 2021."],
        ["ຄ້ອງ Tây Nguyên", "ພື້ນທີ່ວັດທະນະທຳທີ່ UNESCO ຮັບຮອງປີ 2005."]]},
      "dau-tu": {"title": "ຂໍ້ມູນການລົງທຶນ", "lead": "ເຊື່ອມຕໍ່ຕະຫຼາດຜ່ານຊາຍແດນ", "facts": [
        ["ເຂດເສດຖະກິດດ່ານຊາຍແດນ", "ຫຼາຍດ່ານມີເຂດສຳລັບການຄ້າ, ຄັງສິນຄ້າ ແລະ ການບໍລິການ."],
        ["ສັນຍາການຄ້າ", "ຫວຽດນາມເຂົ້າຮ່ວມ CPTPP, EVFTA, RCEP ແລະ ສັນຍາອື່ນໆ."],
        ["ເລີ່ມຈາກໃສ", "ອົງການສົ່ງເສີມການລົງທຶນຂອງແຂວງໃຫ້ຂໍ້ມູນ ແລະ ແນະນຳຂັ້ນຕອນ."]]},
      "hoa-binh": {"title": "ຊາຍແດນສັນຕິພາບ ແລະ ມິດຕະພາບ", "lead": "ຮ່ວມມື ແລະ ພັດທະນາຮ່ວມກັນ", "facts": [
        ["ເພື່ອນບ້ານ", "ຫວຽດນາມມີຊາຍແດນທາງບົກຕິດກັບຈີນ, ລາວ ແລະ ກຳປູເຈຍ."],
        ["ແລກປ່ຽນ", "ປະຊາຊົນສອງຟາກຊາຍແດນໄປມາຫາສູ່ ແລະ ຄ້າຂາຍຢູ່ຕະຫຼາດຊາຍແດນ."],
        ["ບ້ານຄູ່ມິດ", "ຫຼາຍບ້ານສອງຟາກຊາຍແດນຜູກມິດ ແລະ ຊ່ວຍເຫຼືອກັນ."]]},
      "gop-y": {"title": "ຄຳເຫັນ", "lead": "ທ່ານເຫັນວ່າຈຸດຂໍ້ມູນນີ້ເປັນແນວໃດ?", "facts": []}
    }
  },
  "km": {
    "name": "ខ្មែរ", "brand": "ចំណុចព័ត៌មានបរទេស", "welcome": "សូមស្វាគមន៍មកកាន់ប្រទេសវៀតណាម",
    "subtitle": "សូមជ្រើសរើសព័ត៌មានដែលអ្នកចង់មើល", "touch": "សូមប៉ះអេក្រង់ដើម្បីចាប់ផ្តើម", "home": "ទំព័រដើម",
    "finish": "បញ្ចប់", "close": "បិទ", "more": "មើលបន្ថែមលើទូរស័ព្ទ", "qr_hint": "ស្កេនកូដដើម្បីបើក vietnam.vn",
    "listen": "ស្តាប់បទភ្លេងគំរូ", "stop": "ឈប់",
    "countries": ["វៀតណាម", "ឡាវ", "កម្ពុជា", "ចិន"],
    "faces": ["មិនពេញចិត្តខ្លាំង", "មិនពេញចិត្ត", "ធម្មតា", "ពេញចិត្ត", "ពេញចិត្តខ្លាំង"],
    "thanks": "សូមអរគុណ!", "anonymous": "ចំណុចព័ត៌មាននេះមិនប្រមូលទិន្នន័យផ្ទាល់ខ្លួនទេ។",
    "pages": {
      "thu-tuc": {"title": "នីតិវិធីឆ្លងកាត់ច្រកទ្វារ", "lead": "អ្វីដែលគួររៀបចំមុនទៅដល់បញ្ជរ", "facts": [
        ["ឯកសារ", "យកលិខិតឆ្លងដែន ឬលិខិតឆ្លងកាត់ព្រំដែនដែលនៅមានសុពលភាព។"],
        ["ទិដ្ឋាការ", "ពិនិត្យមើលថាអ្នកត្រូវការទិដ្ឋាការ ឬត្រូវបានលើកលែង។"],
        ["គយ", "ប្រកាសទំនិញ និងរូបិយប័ណ្ណបរទេសដែលត្រូវប្រកាស។"],
        ["ចត្តាឡីស័ក", "សត្វ រុក្ខជាតិ និងផលិតផលរបស់វាត្រូវឆ្លងកាត់ការត្រួតពិនិត្យ។"],
        ["សួរមន្ត្រី", "បទប្បញ្ញត្តិអាចផ្លាស់ប្តូរ។ មន្ត្រីនៅបញ្ជរនឹងណែនាំអ្នក។"]]},
      "gio-lam-viec": {"title": "ម៉ោងធ្វើការ", "lead": "ម៉ោងរបស់ច្រកនីមួយៗត្រូវបានបិទផ្សាយនៅបញ្ជរ", "facts": [
        ["តំបន់ម៉ោង", "វៀតណាម ឡាវ និងកម្ពុជាប្រើ UTC+7; ចិនប្រើ UTC+8។"],
        ["ថ្ងៃឈប់សម្រាក", "ម៉ោងធ្វើការអាចផ្លាស់ប្តូរ សូមមើលសេចក្តីជូនដំណឹងនៅច្រក។"],
        ["គួរមកឱ្យឆាប់", "មកដល់មុនម៉ោងបិទ ដើម្បីបំពេញនីតិវិធីទាន់ពេល។"]]},
      "van-hoa": {"title": "រូបភាពវប្បធម៌", "lead": "ប្រទេសដែលមានជនជាតិ 54", "facts": [
        ["ពិធី Then", "ពិធី និងតន្ត្រីរបស់ជនជាតិ Tày, Nùng, Thái; UNESCO ចុះបញ្ជីឆ្នាំ 2019។"],
        ["របាំ Xòe", "របាំវង់របស់ជនជាតិ Thái នៅភាគពាយ័ព្យ; UNESCO ចុះបញ្ជីឆ្នាំ 2021។"],
        ["គង Tây Nguyên", "លំហវប្បធម៌ដែល UNESCO ទទួលស្គាល់ឆ្នាំ 2005។"]]},
      "dau-tu": {"title": "ព័ត៌មានវិនិយោគ", "lead": "តភ្ជាប់ទីផ្សារឆ្លងព្រំដែន", "facts": [
        ["តំបន់សេដ្ឋកិច្ចច្រកទ្វារ", "ច្រកជាច្រើនមានតំបន់សម្រាប់ពាណិជ្ជកម្ម ឃ្លាំង និងសេវាកម្ម។"],
        ["កិច្ចព្រមព្រៀងពាណិជ្ជកម្ម", "វៀតណាមចូលរួម CPTPP, EVFTA, RCEP និងកិច្ចព្រមព្រៀងផ្សេងទៀត។"],
        ["ចាប់ផ្តើមពីណា", "ស្ថាប័នជំរុញវិនិយោគរបស់ខេត្តផ្តល់ព័ត៌មាន និងណែនាំនីតិវិធី។"]]},
      "hoa-binh": {"title": "ព្រំដែនសន្តិភាព មិត្តភាព", "lead": "សហប្រតិបត្តិការ និងអភិវឌ្ឍន៍រួមគ្នា", "facts": [
        ["ប្រទេសជិតខាង", "វៀតណាមមានព្រំដែនគោកជាប់ចិន ឡាវ និងកម្ពុជា។"],
        ["ការផ្លាស់ប្តូរ", "ប្រជាជនទាំងសងខាងទៅមករកគ្នា និងធ្វើជំនួញនៅផ្សារព្រំដែន។"],
        ["ភូមិមិត្តភាព", "ភូមិជាច្រើនទាំងសងខាងចងមិត្តភាព និងជួយគ្នា។"]]},
      "gop-y": {"title": "មតិយោបល់", "lead": "តើអ្នកយល់ថាចំណុចព័ត៌មាននេះយ៉ាងដូចម្តេច?", "facts": []}
    }
  }
};
